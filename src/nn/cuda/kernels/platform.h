// The language of the kernels: the common subset of CUDA C++ and plain C, so that a C compiler can build them too and
// their arithmetic can be tested without a GPU.
//
// Every kernel is `KERNEL(name)(parameters) {`; the parameters are `const float *`, `const double *`, `float *`, `int`
// or `float`, one or more per line. The tests parse those lines: a launch whose arguments differ from them fails there.

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

// Threads in the largest block.
#define MOST_THREADS 1024

// The index of the result that this thread computes; the last block has more threads than results.
#define RESULT (int)(blockIdx.x * blockDim.x + threadIdx.x)

#endif
