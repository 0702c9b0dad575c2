// Motions of a picture's parts, and their mixture: keypoint heat maps, affine maps, thin-plate splines.

// The coordinate of sample `i` of `size`, from -1 to 1.
INSIDE float coordinate(int i, int size)
{
    return 2.0f * ((float)i / (float)(size > 1 ? size - 1 : 1)) - 1.0f;
}

INSIDE float bell(float away, float variance)
{
    return expf(-0.5f * away * away / variance);
}

// The Gaussians at the keypoints' current positions minus those at their previous ones; the first plane, for the
// background, is zero. `points` holds for each keypoint `(x, y)` now, then `(x, y)` before.
KERNEL(heat_maps)(const float *points, float *out, int count, int height, int width, float variance)
{
    int i = RESULT;
    if (i >= count)
        return;
    int part = i / width / height;
    if (part == 0) {
        out[i] = 0.0f;
        return;
    }
    float x = coordinate(i % width, width);
    float y = coordinate(i / width % height, height);
    const float *point = points + 4 * (part - 1);
    float now = bell(y - point[1], variance) * bell(x - point[0], variance);
    float before = bell(y - point[3], variance) * bell(x - point[2], variance);
    out[i] = now - before;
}

// The positions under each part's affine map; the first part is the identity. `maps` holds for each map the point that
// is mapped, its image, and a 2x2 matrix, row-major.
KERNEL(affine_motions)(const float *maps, float *out, int count, int height, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    float x = coordinate(i % width, width);
    float y = coordinate(i / width % height, height);
    int part = i / width / height;
    float *to = out + 2 * (size_t)i;
    if (part == 0) {
        to[0] = x;
        to[1] = y;
        return;
    }
    const float *map = maps + 8 * (part - 1);
    x -= map[0];
    y -= map[1];
    to[0] = map[4] * x + map[5] * y + map[2];
    to[1] = map[6] * x + map[7] * y + map[3];
}

// The positions under the background's motion and each spline. `splines` holds a 3x3 matrix, row-major, for the
// background; then for each spline `controls` points and the weights for both axes, of each point, then of x, y and 1.
// In f64, as on the CPU: the terms are large and cancel.
KERNEL(spline_motions)(const double *splines, float *out, int count, int controls, int height, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    int part = i / width / height;
    double x = 2.0 * (i % width) / (width > 1 ? width - 1 : 1) - 1.0;
    double y = 2.0 * (i / width % height) / (height > 1 ? height - 1 : 1) - 1.0;
    float *to = out + 2 * (size_t)i;
    if (part == 0) {
        double below = splines[6] * x + splines[7] * y + splines[8];
        to[0] = (float)((splines[0] * x + splines[1] * y + splines[2]) / below);
        to[1] = (float)((splines[3] * x + splines[4] * y + splines[5]) / below);
        return;
    }
    const double *control = splines + 9 + (part - 1) * (4 * controls + 6);
    const double *weight = control + 2 * controls;
    const double *affine = weight + 2 * controls;
    double sums[2];
    for (int axis = 0; axis < 2; axis++)
        sums[axis] = affine[axis] * x + affine[2 + axis] * y + affine[4 + axis];
    for (int k = 0; k < controls; k++) {
        double across = x - control[2 * k];
        double down = y - control[2 * k + 1];
        double squared = across * across + down * down;
        double u = squared * log(squared + 1e-9);
        sums[0] += u * weight[2 * k];
        sums[1] += u * weight[2 * k + 1];
    }
    to[0] = (float)sums[0];
    to[1] = (float)sums[1];
}

// The softmax of the first `parts` planes of `maps` at each position, and the parts' motions averaged with these weights.
KERNEL(mixed_motion)(
    const float *maps, const float *motions, float *shares, float *flow,
    int places, int parts)
{
    int i = RESULT;
    if (i >= places)
        return;
    float most = -INFINITY;
    for (int part = 0; part < parts; part++) {
        float value = maps[(size_t)part * places + i];
        most = value > most ? value : most;
    }
    float sum = 0.0f;
    for (int part = 0; part < parts; part++) {
        float raised = expf(maps[(size_t)part * places + i] - most);
        shares[(size_t)part * places + i] = raised;
        sum += raised;
    }
    float x = 0.0f;
    float y = 0.0f;
    for (int part = 0; part < parts; part++) {
        size_t at = (size_t)part * places + i;
        float share = shares[at] / sum;
        shares[at] = share;
        x += share * motions[2 * at];
        y += share * motions[2 * at + 1];
    }
    flow[2 * i] = x;
    flow[2 * i + 1] = y;
}

// The mean of a value map weighted by the softmax of a score map, one block per pair of them: `each` value maps per
// score map, or for all of them if `shared`.
KERNEL(soft_means)(
    const float *scores, const float *values, float *out,
    int places, int each, int shared, float sharpness)
{
    SHARED float scratch[MOST_THREADS];
    int row = blockIdx.x / each;
    int map = blockIdx.x % each;
    const float *score = scores + (size_t)row * places;
    const float *value = values + (size_t)(shared ? map : row * each + map) * places;

    float most = -INFINITY;
    for (int i = threadIdx.x; i < places; i += blockDim.x)
        most = score[i] > most ? score[i] : most;
    most = block_largest(most, scratch);

    float sum = 0.0f;
    float product = 0.0f;
    for (int i = threadIdx.x; i < places; i += blockDim.x) {
        float raised = expf((score[i] - most) * sharpness);
        sum += raised;
        product += raised * value[i];
    }
    product = block_sum(product, scratch);
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0)
        out[blockIdx.x] = product / sum;
}
