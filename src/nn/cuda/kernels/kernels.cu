// All kernels as one module; see the files for what they do.

#include "platform.h"

#include "norms.cu"
#include "maps.cu"
#include "motions.cu"
