// Runs kernel launches on the CPU: reads one after another from standard input, and writes the results of each to standard
// output. For the tests, which build this with the kernels as C and, if the compiler supports it, with checks of every access.
//
// A block whose threads synchronise gets a real thread for each, so that its barriers are barriers. Otherwise the threads
// are iterations of a loop, and a barrier is an error. The last threads run first: no result may depend on order.

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.cu"

enum { MOST_ARGUMENTS = 24 };

typedef enum { NONE, READ, WRITTEN, INTEGER, REAL } Kind;

typedef struct {
    int32_t kind;
    // Bytes of the input or result.
    int32_t bytes;
    void *pointer;
    int32_t integer;
    float real;
} Argument;

typedef struct {
    char kernel[32];
    int32_t blocks;
    int32_t threads;
    int32_t together;
    int32_t arguments;
} Job;

_Thread_local Index threadIdx;
_Thread_local Index blockIdx;
Index blockDim;

static Job job;
static Argument arguments[MOST_ARGUMENTS];
static pthread_barrier_t all;

static void fail(const char *why)
{
    fprintf(stderr, "%s: %s\n", job.kernel, why);
    exit(1);
}

void barrier(void)
{
    if (!job.together)
        fail("a barrier among threads that don't work together");
    pthread_barrier_wait(&all);
}

// `static void dispatch(void)` calls the job's kernel with its arguments. The tests generate it from the kernels' sources.
#include "dispatch.inc"

// Runs one thread of every block.
static void *thread(void *index)
{
    threadIdx.x = (unsigned)(uintptr_t)index;
    for (int block = job.blocks - 1; block >= 0; block--) {
        blockIdx.x = block;
        dispatch();
        // The next block uses the same shared memory.
        if (job.together)
            barrier();
    }
    return NULL;
}

static void read_all(void *to, size_t bytes)
{
    if (fread(to, 1, bytes, stdin) != bytes)
        fail("the launch is cut off");
}

static void run(void)
{
    if (job.arguments > MOST_ARGUMENTS || job.threads > MOST_THREADS || job.threads < 1)
        fail("too many arguments or threads");
    for (int i = 0; i < job.arguments; i++) {
        Argument *argument = &arguments[i];
        read_all(&argument->kind, sizeof argument->kind);
        read_all(&argument->bytes, sizeof argument->bytes);
        if (argument->kind == READ || argument->kind == WRITTEN) {
            argument->pointer = malloc(argument->bytes);
            if (!argument->pointer)
                fail("no memory");
        }
        if (argument->kind == READ)
            read_all(argument->pointer, argument->bytes);
        // Values that the kernel doesn't write stay NaN.
        if (argument->kind == WRITTEN)
            memset(argument->pointer, 0xff, argument->bytes);
        if (argument->kind == INTEGER)
            read_all(&argument->integer, sizeof argument->integer);
        if (argument->kind == REAL)
            read_all(&argument->real, sizeof argument->real);
    }

    blockDim.x = job.threads;
    pthread_t threads[MOST_THREADS];
    if (job.together && pthread_barrier_init(&all, NULL, job.threads) != 0)
        fail("no barrier");
    for (int i = job.threads - 1; i >= 0; i--) {
        if (!job.together)
            thread((void *)(uintptr_t)i);
        else if (pthread_create(&threads[i], NULL, thread, (void *)(uintptr_t)i) != 0)
            fail("no thread");
    }
    for (int i = 0; job.together && i < job.threads; i++)
        pthread_join(threads[i], NULL);

    for (int i = 0; i < job.arguments; i++) {
        if (arguments[i].kind == WRITTEN)
            fwrite(arguments[i].pointer, 1, arguments[i].bytes, stdout);
        free(arguments[i].pointer);
        arguments[i].pointer = NULL;
    }
    fflush(stdout);
    if (job.together)
        pthread_barrier_destroy(&all);
}

int main(void)
{
    while (fread(&job, sizeof job, 1, stdin) == 1)
        run();
    return 0;
}
