"""The planner's tools by name; listing them imports nothing. None of them approves or launches."""

from __future__ import annotations

from tcao_tui.planner.port import Tool
from tcao_tui.registry import Registry

_AT = "tcao_tui.planner.tools."
TOOLS: Registry[type[Tool]] = Registry(
    "tcao_tui.planner_tools",
    {
        "inspect_data": f"{_AT}inspect_data:InspectData",
        "list_models": f"{_AT}list_models:ListModels",
        "split_data": f"{_AT}split_data:SplitData",
        "clean_data": f"{_AT}clean_data:CleanData",
        "mix_data": f"{_AT}mix_data:MixData",
        "inspect_code": f"{_AT}inspect_code:InspectCode",
        "compare_files": f"{_AT}compare_files:CompareFiles",
        "preview_row": f"{_AT}preview_row:PreviewRow",
        "check_plan": f"{_AT}check_plan:CheckPlan",
        "ask_user": f"{_AT}ask_user:AskUser",
        "set_slot": f"{_AT}set_slot:SetSlot",
        "propose_config": f"{_AT}propose_config:ProposeConfig",
        "propose_evals": f"{_AT}propose_evals:ProposeEvals",
        "suggest_hyperparameters": f"{_AT}suggest_hyperparameters:SuggestHyperparameters",
        "estimate_cost": f"{_AT}estimate_cost:EstimateCost",
        "read_run": f"{_AT}read_run:ReadRun",
        "compare_checkpoints": f"{_AT}compare_checkpoints:CompareCheckpoints",
        "diagnose_run": f"{_AT}diagnose_run:DiagnoseRun",
    },
)
