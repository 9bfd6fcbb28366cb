from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tinker
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tinker import types
from transformers import AutoModelForCausalLM

from tests.engine.conftest import MODEL
from tests.fakes.tinker_data import datum, random_tokens

# eps well above the rounding of a gradient: Adam turns the sign of a vanishing one into a full step.
ADAM = types.AdamParams(learning_rate=1e-2, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1, grad_clip_norm=0.5)


def _adapter(engine: object, rest: tinker.RestClient, path: str) -> Path:
    kind, name = path.split("/")[-2:]
    assert kind == "external_weights"
    urls = rest.get_external_weights_urls(path).result().urls
    folder = engine.state_dir.parent / name
    folder.mkdir()
    import urllib.request

    for file, url in urls.items():
        (folder / file).write_bytes(urllib.request.urlopen(url).read())
    return folder


def _logprobs(model: torch.nn.Module, data: list[types.Datum]) -> list[torch.Tensor]:
    found = []
    for one in data:
        tokens = torch.tensor([one.model_input.to_ints()])
        targets = one.loss_fn_inputs["target_tokens"].to_torch()
        found.append(model(input_ids=tokens).logits[0].log_softmax(-1).gather(1, targets[:, None])[:, 0])
    return found


def test_gradients_and_adam_agree_with_torch_and_peft(
    engine: object, service: tinker.ServiceClient, rest: tinker.RestClient, model_dir: Path
) -> None:
    client = service.create_lora_training_client(MODEL, rank=8, seed=3).result()
    before = _adapter(engine, rest, client.save_weights_external("before").result().path)
    batches = [[datum(random_tokens(10 * step + row, 8 + 5 * row)) for row in range(4)] for step in range(3)]
    ours = [client.forward_backward(batch, "cross_entropy") for batch in batches[:1]]
    steps = [client.optim_step(ADAM)]
    for batch in batches[1:]:
        ours += [
            client.forward_backward(batch[:2], "cross_entropy"),
            client.forward_backward(batch[2:], "cross_entropy"),
        ]
        steps.append(client.optim_step(ADAM))
    after = load_file(
        _adapter(engine, rest, client.save_weights_external("after").result().path) / "adapter_model.safetensors"
    )

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model_dir), before, is_trainable=True)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    adam = torch.optim.AdamW(trained, lr=1e-2, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1)
    norms, losses = [], []
    for batch in batches:
        loss = -sum(found.sum() for found in _logprobs(model, batch))
        loss.backward()
        losses.append(float(loss.detach()))
        norms.append(float(torch.nn.utils.clip_grad_norm_(trained, 0.5)))
        adam.step()
        adam.zero_grad()
    assert [step.result().metrics["unclipped_grad_l2:mean"] for step in steps] == pytest.approx(norms, rel=1e-5)
    sums = [future.result().metrics["loss:sum"] for future in ours]
    assert [sums[0], sums[1] + sums[2], sums[3] + sums[4]] == pytest.approx(losses, rel=1e-5)
    reference = {
        name.replace(".default.", "."): weight for name, weight in model.named_parameters() if weight.requires_grad
    }
    assert after.keys() == reference.keys()
    for name, weight in reference.items():
        assert torch.allclose(after[name], weight.detach(), atol=1e-5), name


@pytest.mark.parametrize("loss", ["importance_sampling", "ppo", "cispo"])
def test_policy_losses_are_sums_with_the_documented_formulas(service: tinker.ServiceClient, loss: str) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=3).result()
    tokens = [random_tokens(seed, 12) for seed in range(3)]
    plain = client.forward([datum(row) for row in tokens], "cross_entropy").result()
    logprobs = [np.asarray(output["logprobs"].data) for output in plain.loss_fn_outputs]
    generator = np.random.default_rng(0)
    old = [row + generator.normal(0, 0.4, 11) for row in logprobs]
    advantages = [generator.normal(0, 1, 11) for _ in tokens]
    data = [datum(row, logprobs=q, advantages=a) for row, q, a in zip(tokens, old, advantages, strict=True)]
    config = None if loss == "importance_sampling" else {"clip_low_threshold": 0.9, "clip_high_threshold": 1.1}
    got = client.forward_backward(data, loss, config).result().metrics["loss:sum"]
    p, q, a = np.concatenate(logprobs), np.concatenate(old), np.concatenate(advantages)
    ratio = np.exp(p - q)
    clipped = ratio.clip(0.9, 1.1)
    expected = {
        "importance_sampling": -(ratio * a).sum(),
        "ppo": -np.minimum(ratio * a, clipped * a).sum(),
        "cispo": -(clipped * p * a).sum(),
    }[loss]
    assert got == pytest.approx(expected, rel=1e-4)


def test_custom_loss_runs_on_the_clients_side(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=3).result()
    data = [datum(random_tokens(seed, 12)) for seed in range(2)]

    def loss(data: list[types.Datum], logprobs: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        return -((logprobs[0].sum() - logprobs[1].sum()) ** 2), {"mine": 1.0}

    future = client.forward_backward_custom(data, loss)
    norm = client.optim_step(types.AdamParams(learning_rate=1e-4)).result().metrics["unclipped_grad_l2:mean"]
    metrics = future.result().metrics
    assert metrics["mine"] == 1.0
    assert math.isfinite(metrics["loss:sum"])
    assert norm > 0


def test_weights_that_add_up_to_zero_leave_a_zero_gradient_on_equal_sequences(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=3).result()
    tokens = random_tokens(1, 12)
    pair = [datum(tokens, weights=[1.0] * 11), datum(tokens, weights=[-1.0] * 11)]
    result = client.forward_backward(pair, "cross_entropy")
    norm = client.optim_step(types.AdamParams(learning_rate=0.0)).result().metrics["unclipped_grad_l2:mean"]
    assert result.result().metrics["loss:sum"] == pytest.approx(0, abs=1e-4)
    assert norm == pytest.approx(0, abs=1e-3)


def test_many_targets_per_position_are_scored_in_their_shape(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=3).result()
    tokens = random_tokens(5, 6)
    targets = np.asarray([[4, 5, 6]] * 6, np.int64)
    wide = types.Datum(
        model_input=types.ModelInput.from_ints(tokens),
        loss_fn_inputs={
            "target_tokens": types.TensorData.from_torch_sparse(torch.from_numpy(targets)),
            "weights": types.TensorData.from_torch_sparse(torch.tensor([[0.5, 0, 0]] * 6)),
        },
    )
    narrow = types.Datum(
        model_input=types.ModelInput.from_ints(tokens),
        loss_fn_inputs={"target_tokens": types.TensorData.from_numpy(targets[:, 0]), "weights": [0.5] * 6},
    )
    outputs = client.forward([wide, narrow], "cross_entropy").result()
    assert outputs.loss_fn_outputs[0]["logprobs"].shape == [6, 3]
    first = np.asarray(outputs.loss_fn_outputs[0]["logprobs"].data).reshape(6, 3)[:, 0]
    assert np.allclose(first, outputs.loss_fn_outputs[1]["logprobs"].data, atol=1e-6)


def test_two_runs_on_one_base_model_do_not_touch_each_other(service: tinker.ServiceClient) -> None:
    data = [datum(random_tokens(1, 12))]
    clients = [service.create_lora_training_client(MODEL, rank=4, seed=seed).result() for seed in (1, 1)]
    for _ in range(3):
        clients[0].forward_backward(data, "cross_entropy")
        clients[0].optim_step(types.AdamParams(learning_rate=1e-2))
    trained, fresh = (client.forward(data, "cross_entropy").result().metrics["loss:sum"] for client in clients)
    assert trained < fresh - 1


def test_the_same_seed_starts_the_same_and_another_seed_does_not(engine: object, service: tinker.ServiceClient) -> None:
    data = [datum(random_tokens(1, 12))]

    def after_one_step(seed: int) -> float:
        client = service.create_lora_training_client(MODEL, rank=4, seed=seed).result()
        client.forward_backward(data, "cross_entropy")
        client.optim_step(types.AdamParams(learning_rate=1e-2))
        return client.forward(data, "cross_entropy").result().metrics["loss:sum"]

    first, again, other = after_one_step(7), after_one_step(7), after_one_step(8)
    assert first == again
    assert first != other
