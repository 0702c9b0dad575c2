// CUDA's keywords for a C compiler: see emulator.c. Only for the tests.

#ifndef EMULATOR_H
#define EMULATOR_H

#include <math.h>
#include <stddef.h>

typedef struct {
    unsigned x;
} Index;

extern _Thread_local Index threadIdx;
extern _Thread_local Index blockIdx;
extern Index blockDim;

// Waits for all threads of the block.
void barrier(void);

#define KERNEL(name) static void name
#define INSIDE static inline
// Blocks run one after another, so one shared memory is enough for all.
#define SHARED static
#define BARRIER() barrier()

#endif
