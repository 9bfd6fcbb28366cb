from __future__ import annotations

import numpy as np
import pytest
import tinker
import torch
from tinker import types

from tests.engine.conftest import MODEL
from tests.fakes.tinker_data import datum, random_tokens


@pytest.fixture(scope="module")
def sampler(engine: object) -> object:
    client = tinker.ServiceClient(base_url=engine.url, api_key=engine.key)
    yield client.create_sampling_client(base_model=MODEL).result()
    client.close("success").result()


def _sample(
    sampler: tinker.SamplingClient, tokens: list[int], number: int = 1, **params: object
) -> types.SampleResponse:
    return sampler.sample(
        types.ModelInput.from_ints(tokens), number, types.SamplingParams(**({"max_tokens": 12} | params))
    ).result()


def _drawn(response: types.SampleResponse) -> list[list[int]]:
    return [sequence.tokens for sequence in response.sequences]


def test_a_seed_gives_the_same_samples_alone_and_among_others(sampler: tinker.SamplingClient) -> None:
    prompt = types.ModelInput.from_ints(random_tokens(1, 7))
    alone = _drawn(_sample(sampler, random_tokens(1, 7), 3, seed=5))
    others = [
        sampler.sample(types.ModelInput.from_ints(random_tokens(n, 3 + n)), 2, types.SamplingParams(max_tokens=9))
        for n in range(12)
    ]
    among = sampler.sample(prompt, 3, types.SamplingParams(max_tokens=12, seed=5)).result()
    assert _drawn(among) == alone
    assert len({tuple(tokens) for tokens in alone}) == 3
    assert _drawn(_sample(sampler, random_tokens(1, 7), 3, seed=6)) != alone
    assert [len(response.result().sequences) for response in others] == [2] * 12


def test_every_sequence_has_its_own_id(sampler: tinker.SamplingClient) -> None:
    ids = [found.sequence_id for found in _sample(sampler, [5, 6, 7], 4).sequences]
    assert len(set(ids)) == 4


def test_temperature_zero_takes_the_likeliest_token(sampler: tinker.SamplingClient) -> None:
    response = sampler.sample(
        types.ModelInput.from_ints([5, 6, 7]),
        1,
        types.SamplingParams(max_tokens=6, temperature=0),
        topk_sample_logprobs=3,
    ).result()
    found = response.sequences[0]
    assert [ranked[0][0] for ranked in found.topk_logprobs] == found.tokens
    assert [ranked[0][1] for ranked in found.topk_logprobs] == pytest.approx(found.logprobs)
    assert _drawn(_sample(sampler, [5, 6, 7], top_k=1, max_tokens=6))[0] == found.tokens
    assert _drawn(_sample(sampler, [5, 6, 7], top_p=1e-6, max_tokens=6))[0] == found.tokens


def test_logprobs_are_those_of_the_model_whatever_the_temperature(sampler: tinker.SamplingClient) -> None:
    prompt = random_tokens(3, 5)
    found = _sample(sampler, prompt, temperature=0.5, seed=1).sequences[0]
    scored = sampler.compute_logprobs(types.ModelInput.from_ints(prompt + found.tokens)).result()
    assert scored[len(prompt) :] == pytest.approx(found.logprobs, abs=1e-4)


def test_prompt_logprobs_have_an_entry_per_token_the_first_none(sampler: tinker.SamplingClient) -> None:
    tokens = random_tokens(4, 9)
    response = sampler.sample(
        types.ModelInput.from_ints(tokens),
        1,
        types.SamplingParams(max_tokens=1),
        include_prompt_logprobs=True,
        topk_prompt_logprobs=2,
        prompt_alt_tokens_k=3,
        target_prompt_logprobs=types.TensorData.from_torch(torch.tensor([[token] for token in tokens[1:]])),
    ).result()
    assert response.prompt_logprobs[0] is None
    assert len(response.prompt_logprobs) == len(response.topk_prompt_logprobs) == 9
    assert response.topk_prompt_logprobs[0] is None
    assert response.target_prompt_logprobs.to_numpy()[:, 0].tolist() == pytest.approx(response.prompt_logprobs[1:])
    assert response.prompt_alt_tokens.tokens.shape == [8, 3]
    suffix = sampler.compute_logprobs(types.ModelInput.from_ints(tokens), prompt_logprobs_last_n=2).result()
    assert suffix[:7] == [None] * 7
    assert suffix[7:] == pytest.approx(response.prompt_logprobs[7:], abs=1e-5)


def test_training_and_sampling_agree_on_logprobs(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
    data = [datum(random_tokens(row, 6 + row)) for row in range(3)]
    client.forward_backward(data, "cross_entropy")
    client.optim_step(types.AdamParams(learning_rate=1e-2))
    trained = client.forward(data, "cross_entropy").result()
    sampler = client.save_weights_and_get_sampling_client().result()
    for row, output in enumerate(trained.loss_fn_outputs):
        scored = sampler.compute_logprobs(types.ModelInput.from_ints(random_tokens(row, 6 + row))).result()
        assert scored[1:] == pytest.approx(np.asarray(output["logprobs"].data).tolist(), abs=1e-4)


def test_stop_tokens_and_strings_end_a_sequence_and_stay_in_it(sampler: tinker.SamplingClient) -> None:
    free = _sample(sampler, [9, 8], seed=2, stop=[], max_tokens=40).sequences[0]
    assert (free.stop_reason, len(free.tokens)) == ("length", 40)
    by_token = _sample(sampler, [9, 8], seed=2, stop=[free.tokens[5]], max_tokens=40).sequences[0]
    assert by_token.stop_reason == "stop"
    assert by_token.tokens == free.tokens[: free.tokens.index(free.tokens[5]) + 1]
    printable = [place for place, token in enumerate(free.tokens) if 3 + 33 <= token <= 3 + 60]
    text = sampler_text(free.tokens[printable[0]])
    by_text = _sample(sampler, [9, 8], seed=2, stop=[text], max_tokens=40).sequences[0]
    assert by_text.stop_reason == "stop"
    assert sampler_text(by_text.tokens[-1]) == text


def sampler_text(token: int) -> str:
    """The random model's tokenizer: special tokens, then the byte alphabet in the order of its characters."""
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())[token - 3]


def test_a_prompt_that_does_not_fit_is_refused_with_the_reason(sampler: tinker.SamplingClient) -> None:
    with pytest.raises(tinker.RequestFailedError, match="context of 512"):
        _sample(sampler, random_tokens(1, 505), max_tokens=50)


def test_inflight_samplers_follow_later_saves(service: tinker.ServiceClient) -> None:
    client = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
    tokens = random_tokens(1, 12)
    prompt = types.ModelInput.from_ints(tokens)
    snapshot = client.save_weights_and_get_sampling_client().result()
    inflight = client.save_weights_and_get_sampling_client(kind="inflight").result()
    before = inflight.compute_logprobs(prompt).result()
    client.forward_backward([datum(tokens)], "cross_entropy")
    client.optim_step(types.AdamParams(learning_rate=1e-2))
    client.save_weights_and_get_sampling_client(kind="inflight").result()
    assert sum(inflight.compute_logprobs(prompt).result()[1:]) > sum(before[1:]) + 1
    assert snapshot.compute_logprobs(prompt).result() == before


def test_the_session_futures_poller_and_zstd_work_too(start_engine: object) -> None:
    flags = '{"sample_use_retrieve_futures": true, "proto_compress_fwdbwd": true}'
    engine = start_engine(options=["--client-config", flags])
    with tinker.ServiceClient(base_url=engine.url, api_key=engine.key) as service:
        client = service.create_lora_training_client(MODEL, rank=4).result()
        assert client.forward([datum(random_tokens(1, 12))], "cross_entropy").result().metrics["loss:sum"] > 0
        sampler = client.save_weights_and_get_sampling_client().result()
        copy = tinker.SamplingClient.from_sampler_handle(sampler.get_sampler_handle(), api_key=engine.key)
        pending = [
            one.sample(types.ModelInput.from_ints([5]), 1, types.SamplingParams(max_tokens=3))
            for one in (sampler, copy)
        ]
        assert [len(future.result().sequences) for future in pending] == [1, 1]
    assert "Traceback" not in engine.log()
