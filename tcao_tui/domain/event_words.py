"""An event in a symbol, a sentence and an ink. Pure; the text may hold foreign parts, so callers make it safe."""

from __future__ import annotations

from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    ControlHandled,
    DataLoaded,
    Finished,
    Launched,
    LogLine,
    PhaseChanged,
    Resumed,
    RunEvent,
    SamplesTaken,
    Scored,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.pilot import pilot_text
from tcao_tui.domain.pilot_range import cell_words, losses_text
from tcao_tui.domain.training_events import (
    Alert,
    ArtefactWritten,
    PilotEnded,
    RangeCellBegan,
    RangeCellTrained,
    RangeTested,
    RolloutsTaken,
    SettingChanged,
    StageEnded,
    StageMeasured,
    StageStarted,
)
from tcao_tui.domain.wording import count_text, number_text, share_text

Told = tuple[str, str, str]


def event_text(event: RunEvent | UnknownEvent) -> Told:
    """Symbol, sentence, ink."""
    match event:
        case Launched() | Resumed() | PhaseChanged() | Waiting() | Finished():
            return _course(event)
        case CheckpointSaved(checkpoint=saved):
            adopted = ", found again after a crash" if saved.adopted else ""
            return "◆", f"checkpoint of step {saved.step} saved ({saved.reason}{adopted})", "accent"
        case CheckpointDeleted(name=name, reason=reason):
            return "◇", f"checkpoint {name} deleted{_because(reason)}", "muted"
        case DataLoaded():
            rows = f"{event.train_rows:,} training and {event.val_rows:,} validation rows"
            cut = f", {event.truncated_rows:,} cut" if event.truncated_rows else ""
            return "·", f"data loaded: {rows}, {count_text(event.train_tokens)} tokens{cut}", "muted"
        case SamplesTaken(step=step, samples=samples):
            taken = "1 sample" if len(samples) == 1 else f"{len(samples)} samples"
            return "»", f"{taken} taken at step {step}", "muted"
        case Scored():
            return "★", f"{event.name} {share_text(event.value)} ({event.counts}) at step {event.step}", "ok"
        case ControlHandled(verb=verb, accepted=True):
            return "✓", f"{verb}: accepted", "info"
        case ControlHandled(verb=verb, reason=reason):
            return "✗", f"{verb}: refused{_because(reason)}", "warn"
        case LogLine(level=level, message=message):
            return "·", message, {"info": "muted", "warning": "warn", "error": "bad"}[level]
        case ArtefactWritten():
            return "·", f"{event.file} written: {event.rows:,} rows", "muted"
        case StageStarted() | StageMeasured() | StageEnded():
            return _stage(event)
        case RolloutsTaken() | Alert() | PilotEnded() | SettingChanged():
            return _training(event)
        case RangeCellBegan() | RangeCellTrained() | RangeTested():
            return _range_test(event)
        case UnknownEvent(kind=kind):
            return "?", f"{kind}: an event of another version", "muted"


def _course(event: Launched | Resumed | PhaseChanged | Waiting | Finished) -> Told:
    match event:
        case Launched(pid=pid, host=host, resume_step=step):
            again = f", continuing at step {step}" if step else ""
            return "▶", f"worker {pid} on {host} took the run{again}", "info"
        case Resumed(step=step, checkpoint=checkpoint):
            return "▶", f"resumed from step {step} ({checkpoint})", "info"
        case PhaseChanged(phase=phase, detail=detail):
            return "·", f"{phase}{_because(detail)}", "muted"
        case Waiting(over=True):
            return "·", "waiting is over", "muted"
        case Waiting(reason=reason, detail=detail):
            return "◔", f"waiting: {reason.replace('_', ' ')}{_because(detail)}", "warn"
        case Finished(outcome=outcome, what=what):
            ink = "ok" if outcome == "completed" else "muted" if outcome == "stopped" else "bad"
            return "✓" if outcome == "completed" else "■", f"{outcome}{_because(what)}", ink


def _stage(event: StageStarted | StageMeasured | StageEnded) -> Told:
    match event:
        case StageStarted():
            which = f"stage {event.index + 1} of {event.stages}: {event.name} ({event.method})"
            return "▷", f"{which}, {event.num_steps} steps", "info"
        case StageMeasured():
            found = ", ".join(f"{key} {number_text(value)}" for key, value in event.values.items())
            return "·", f"before stage {event.name}: {found}", "muted"
        case StageEnded():
            left_out = f"{event.last_step - event.step} steps are left out"
            return "▷", f"stage {event.name} ended early at step {event.step}: {left_out}", "info"


def _training(event: RolloutsTaken | Alert | PilotEnded | SettingChanged) -> Told:
    match event:
        case RolloutsTaken():
            kept = f"{event.answers} answers to {event.groups} prompts"
            return "»", f"{kept} at step {event.step}, mean reward {number_text(event.mean_reward)}", "muted"
        case Alert():
            ink = {"note": "info", "warning": "warn", "critical": "bad"}[event.severity]
            return "▲", f"{event.rule.replace('_', ' ')} at step {event.step}{_because(event.evidence)}", ink
        case PilotEnded(passed=passed, findings=findings):
            said, why = ("passed", pilot_text(event)) if passed else ("stopped the run", "; ".join(findings))
            return "◈", f"pilot of {event.step} steps {said}{_because(why)}", "ok" if passed else "bad"
        case SettingChanged():
            change = f"{event.key} {number_text(event.old)} -> {number_text(event.value)}"
            return "±", f"{change} from step {event.step}, by {event.by}{_because(event.why)}", "info"


def _range_test(event: RangeCellBegan | RangeCellTrained | RangeTested) -> Told:
    match event:
        case RangeCellBegan():
            which = (
                f"range test, cell {event.index} of {event.cells}: {cell_words(event.learning_rate, event.lora_rank)}"
            )
            again = "; trained again from its first step, since it was cut short before" if event.again else ""
            return "▫", f"{which}{again}", "warn" if again else "muted"
        case RangeCellTrained():
            return "▪", f"range test, cell {event.index}: {losses_text(event)}", "muted"
        case RangeTested(passed=True):
            return "◈", f"range test: {event.sentence}", "ok"
        case RangeTested(action=action):
            then = {"note": "", "pause": "; it pauses", "stop": "; it stops"}[action]
            return "◈", f"range test: {event.finding}{then}", "bad" if action == "stop" else "warn"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
