// What kernels keep in memory for a moment because it does not fit registers. Instances that share one memory (bindings/threads.ts)
// each get a place of their own for it; everything else in static memory is constant.

/** The first 128 bytes are the called kernel's; the 16 behind them belong to the activation that it may call. */
export let scratch: usize = memory.data(144, 16)
