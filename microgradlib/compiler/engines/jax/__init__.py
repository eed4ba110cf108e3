"""The JAX engine: `compile(…, backend="jax")` runs programs by XLA, on accelerators and on several devices.

It needs JAX (`pip install "microgradlib[jax]"`; for accelerators, JAX's own extras). A program is compiled once for
each padded size of a batch (four sizes between one power of two and the next), in float64 or float32 as `dtype` says,
whatever `jax_enable_x64` is, and with products in the highest precision. Nothing of JAX's configuration is changed.

    fast = mg.compile(loss, model.parameters(), backend="jax", devices=4)
    fast.value_and_grad(X, y)                       # each device computes a quarter of the batch: one all-reduce
    fit(model, loss, X, y, backend="jax", devices=4)    # data, parameters and optimiser stay on the devices
    f = fast.as_function("jax")                     # (parameters, *data) → mean, for jit, grad, vmap, hessian, optax

`devices` is a number, or a list of JAX's devices. A batch may have any size: it is padded, and the padding is masked
before anything is summed. `reproducible=True` divides each batch into 16 chunks that are compiled alone and summed in
one order, for the same bits on any number of devices: XLA compiles the chunk once for each device.

Several processes, each with devices of its own, run the same script with the same data:

    jax.config.update("jax_cpu_collectives_implementation", "gloo")     # on CPUs only
    jax.distributed.initialize("host:1234", num_processes=2, process_id=i)
    fast = mg.compile(loss, model.parameters(), backend="jax", devices=jax.devices())   # those of all processes

Every process gets all results (tried with two processes of two CPU devices each); `reproducible` is for one process.

Derivatives are those of the op table, not JAX's: also at kinks, behind closed branches, and to every order. Those of
the pure function are linear maps with stated transposes up to the second order, whatever the mixture of forward and
reverse; above it JAX transposes, and 0 · inf behind a closed branch is nan in reverse mode: take third ones forward.

A batch is run in blocks that stay in cache (on CPUs), so that the memory does not grow with what is computed. The
GPT of `tests/benchmarks` beside hand-written JAX, float64, one thread of a CPU, ours / by hand: 256 texts 14 / 8 ms,
4,096 texts 240 / 370 ms, 65,536 texts 3.8 / 7.1 s in 1.2 / 6.8 GB. The gradient of the pure function takes 15 ms for
256 texts and 350 ms for 4,096, and 3 s to compile (by hand 1.2). It has not been measured on an accelerator.

Numbers are IEEE's but for what XLA changes: on a CPU it takes subnormals (below 2.2e-308) for 0, it may round a product
and a sum once, and divide by a product instead of twice, which shows where the product overflows. The larger of 0 and
−0 is 0, so relu(−0) is 0, where it is −0 elsewhere.
"""

from __future__ import annotations

from microgradlib.compiler.engines.jax.engine import BatchFunction, JaxEngine, devices_of
from microgradlib.compiler.engines.jax.functions import float64_enabled, jax
from microgradlib.compiler.engines.jax.pure_function import pure_function

__all__ = ["BatchFunction", "JaxEngine", "devices_of", "float64_enabled", "jax", "pure_function"]
