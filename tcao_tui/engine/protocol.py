"""The wire: request bodies to plain arrays, results to the protobuf messages of the pinned SDK.

Decoding loops over datums, never over tokens. Imports the SDK (and with it torch), so only code that runs after the
start-up load imports this module. Out of scope: JSON responses, which are built where their data is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError
from pydantic import BaseModel, ValidationError
from tinker.proto import tinker_public_pb2 as wire
from tinker.proto.response_conv import deserialize_forward_backward_output, deserialize_sample_response
from tinker.types import SampleRequest

from tcao_tui.engine.api_errors import ApiError, WorkFailed
from tcao_tui.engine.futures import Payload

Array = npt.NDArray[Any]

DTYPES: dict[int, npt.DTypeLike] = {
    wire.DTYPE_FLOAT32: np.float32,
    wire.DTYPE_INT64: np.int64,
    wire.DTYPE_INT32: np.int32,
}


@dataclass(frozen=True)
class RawDatum:
    """One sequence: input tokens, shape (T,), and loss inputs by name, shape (T,) or (T, K)."""

    tokens: Array
    inputs: dict[str, Array]


@dataclass(frozen=True)
class ForwardCall:
    """A `forward` or `forward_backward` request."""

    model_id: str
    seq_id: int
    forward_only: bool
    loss_fn: str
    config: dict[str, float | str]
    data: list[RawDatum]


@dataclass(frozen=True)
class SampledRow:
    """One sampled sequence: tokens and their logprobs, shape (N,); top-k ids and logprobs, shape (N, k), or None."""

    tokens: Array
    logprobs: Array
    stopped: bool
    top: tuple[Array, Array] | None = None


@dataclass
class SampleOutput:
    """The answer to one sample request; prompt arrays have one entry per prompt token, NaN where not scored."""

    sequences: list[SampledRow] = field(default_factory=list)
    prompt_logprobs: Array | None = None
    top_prompt: tuple[Array, Array] | None = None
    target_prompt_logprobs: wire.Tensor | None = None
    alternatives: tuple[Array, Array] | None = None


def parse_model[M: BaseModel](model: type[M], body: bytes) -> M:
    """A JSON body as one of the SDK's request types.

    Raises:
        ApiError: 422, it does not validate.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ApiError(422, f"not a valid {model.__name__}: {error}") from error


def parse_forward(body: bytes) -> ForwardCall:
    """A protobuf `ForwardBackwardRequest`.

    Raises:
        ApiError: 400, it is not one, or carries something else than text tokens.
    """
    request = wire.ForwardBackwardRequest()
    try:
        request.ParseFromString(body)
        data = [
            RawDatum(
                _tokens(datum.model_input), {name: _array(tensor) for name, tensor in datum.loss_fn_inputs.items()}
            )
            for datum in request.data
        ]
    except (DecodeError, ValueError, KeyError) as error:
        raise ApiError(400, f"not a valid forward_backward request: {error}") from error
    config: dict[str, float | str] = dict(request.loss_fn_config)
    for name, value in request.loss_fn_config_v2.items():
        config[name] = value.text if value.HasField("text") else value.number
    return ForwardCall(request.model_id, request.seq_id, request.forward_only, request.loss_fn, config, data)


def parse_forward_json(body: dict[str, Any], forward_only: bool) -> ForwardCall:
    """The JSON form of the same request, as older clients send it.

    Raises:
        ApiError: 400, a field is missing or has another shape.
    """
    try:
        given = body["forward_input"] if "forward_input" in body else body["forward_backward_input"]
        data = [
            RawDatum(
                np.concatenate([np.asarray(chunk["tokens"], np.int64) for chunk in datum["model_input"]["chunks"]]),
                {name: _array_from_json(tensor) for name, tensor in datum["loss_fn_inputs"].items()},
            )
            for datum in given["data"]
        ]
        config = dict(given.get("loss_fn_config") or {})
        return ForwardCall(body["model_id"], int(body["seq_id"]), forward_only, given["loss_fn"], config, data)
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError(400, f"not a valid forward_backward request: {error!r}") from error


def _tokens(chunks: Sequence[wire.Chunk]) -> Array:
    parts = []
    for chunk in chunks:
        if not chunk.HasField("encoded_text"):
            raise ValueError("only text tokens are supported by the local engine")
        parts.append(np.frombuffer(chunk.encoded_text.tokens, np.int32))
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)


def _array(tensor: wire.Tensor) -> Array:
    dtype = DTYPES[tensor.dtype]
    shape = tuple(tensor.shape)
    if not tensor.HasField("sparse_csr"):
        dense = np.frombuffer(tensor.dense, dtype)
        return dense.reshape(shape) if shape else dense
    csr = tensor.sparse_csr
    return _dense(
        np.frombuffer(csr.values, dtype),
        np.frombuffer(csr.crow_indices, np.int64),
        np.frombuffer(csr.col_indices, np.int64),
        shape,
    )


def _array_from_json(tensor: Mapping[str, Any]) -> Array:
    values = np.asarray(tensor["data"], np.int64 if tensor["dtype"] == "int64" else np.float32)
    shape = tensor.get("shape")
    if tensor.get("sparse_crow_indices") is None:
        return values.reshape(shape) if shape else values
    rows, columns = (np.asarray(tensor[f"sparse_{part}_indices"], np.int64) for part in ("crow", "col"))
    return _dense(values, rows, columns, tuple(cast(list[int], shape)))


def _dense(values: Array, crow: Array, columns: Array, shape: tuple[int, ...]) -> Array:
    dense = np.zeros(shape, values.dtype)
    dense[np.repeat(np.arange(shape[0]), np.diff(crow)), columns] = values
    return dense


def forward_payload(logprobs: Sequence[Array], metrics: Mapping[str, float]) -> Payload:
    """Per-datum logprobs, each of shape (T,) or (T, K), and metrics as a `ForwardBackwardOutput`."""
    output = wire.ForwardBackwardOutput(loss_fn_output_type="ArrayRecord", metrics=dict(metrics))
    for trailing, group in groupby(logprobs, key=lambda array: array.shape[1:]):
        arrays = list(group)
        record = output.loss_fn_outputs.add(type_tag="ArrayRecord", num_datums=len(arrays))
        batched = record.fields["logprobs"]
        batched.dtype = wire.DTYPE_FLOAT32
        batched.data = np.concatenate([array.astype(np.float32).ravel() for array in arrays]).tobytes()
        batched.offsets = np.cumsum([0, *(4 * array.size for array in arrays)], dtype=np.int64).tobytes()
        batched.trailing_shape.extend(trailing)
    return Payload(proto=output.SerializeToString(), proto_type="forward_backward")


def sample_payload(output: SampleOutput) -> Payload:
    """One sample answer as a `SampleResponse`."""
    response = wire.SampleResponse()
    for sequence in output.sequences:
        response.sequences.add(
            stop_reason=wire.STOP_REASON_STOP if sequence.stopped else wire.STOP_REASON_LENGTH,
            tokens=sequence.tokens.astype(np.int32).tobytes(),
            logprobs=sequence.logprobs.astype(np.float32).tobytes(),
            topk_sampled_logprobs=_top(sequence.top),
        )
    if output.prompt_logprobs is not None:
        response.prompt_logprobs = output.prompt_logprobs.astype(np.float32).tobytes()
    if (top := _top(output.top_prompt)) is not None:
        response.topk_prompt_logprobs.CopyFrom(top)
    if output.target_prompt_logprobs is not None:
        response.target_prompt_logprobs.CopyFrom(output.target_prompt_logprobs)
    if output.alternatives is not None:
        tokens, logprobs = output.alternatives
        response.prompt_alt_tokens.tokens.CopyFrom(dense_tensor(tokens.astype(np.int64)))
        response.prompt_alt_tokens.logprobs.CopyFrom(dense_tensor(logprobs.astype(np.float32)))
    return Payload(proto=response.SerializeToString(), proto_type="sample")


def dense_tensor(array: Array) -> wire.Tensor:
    """An array of int64 or float32 as a dense `Tensor`."""
    dtype = wire.DTYPE_INT64 if array.dtype == np.int64 else wire.DTYPE_FLOAT32
    return wire.Tensor(dense=array.tobytes(), dtype=dtype, shape=array.shape)


def _top(top: tuple[Array, Array] | None) -> wire.TopkLogprobs | None:
    if top is None:
        return None
    ids, logprobs = top
    return wire.TopkLogprobs(
        token_ids=ids.astype(np.int32).tobytes(),
        logprobs=logprobs.astype(np.float32).tobytes(),
        k=ids.shape[1],
        length=ids.shape[0],
    )


def payload_as_json(payload: Payload) -> dict[str, Any]:
    """A protobuf payload for a client that did not ask for protobuf (curl, old SDKs)."""
    proto = payload.proto or b""
    if payload.proto_type == "sample":
        sampled = deserialize_sample_response(proto)
        sequences = [
            {"tokens": found.tokens, "logprobs": found.logprobs, "stop_reason": found.stop_reason}
            for found in sampled.sequences
        ]
        return {"type": "sample", "sequences": sequences, "prompt_logprobs": sampled.prompt_logprobs}
    output = deserialize_forward_backward_output(proto)
    outputs = [
        {name: {"data": tensor.data, "dtype": tensor.dtype, "shape": tensor.shape} for name, tensor in datum.items()}
        for datum in output.loss_fn_outputs
    ]
    return {
        "loss_fn_output_type": output.loss_fn_output_type,
        "loss_fn_outputs": outputs,
        "metrics": dict(output.metrics),
    }


def prompt_tokens(request: SampleRequest) -> Array:
    """The prompt of a sample request, shape (N,).

    Raises:
        WorkFailed: It is empty or has something else than text tokens.
    """
    chunks = request.prompt.chunks
    if not chunks or any(chunk.type != "encoded_text" for chunk in chunks):
        raise WorkFailed("the prompt must consist of text tokens")
    tokens = np.concatenate([np.asarray(chunk.tokens, np.int64) for chunk in chunks if chunk.type == "encoded_text"])
    if not tokens.size:
        raise WorkFailed("the prompt is empty")
    return tokens
