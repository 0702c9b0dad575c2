// What the kernels are written in: the part that CUDA C++ and plain C have in common, so that a C compiler can build them
// too and their arithmetic be tested where there is no card.
//
// Every kernel is `KERNEL(name)(parameters) {`; the parameters are `const float *`, `const double *`, `float *`, `int` or
// `float`, one or more a line. The tests read those lines: a launch whose arguments differ from them fails there.

#ifndef PLATFORM_H
#define PLATFORM_H

#ifdef __CUDACC__

#define KERNEL(name) extern "C" __global__ void name
#define INSIDE static __device__ __forceinline__
#define SHARED __shared__
#define BARRIER() __syncthreads()

#else

#include "emulator.h"

#endif

// Threads of the largest block.
#define MOST_THREADS 1024

// The result that a thread makes where each makes one; the last block has threads to spare.
#define RESULT (int)(blockIdx.x * blockDim.x + threadIdx.x)

#endif
