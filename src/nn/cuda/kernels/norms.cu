// What follows a convolution, in one pass: bias or norm, ReLU, residual, PReLU.

// The sum of all threads' values, returned to all threads of the block, whose number is a power of two.
INSIDE float block_sum(float value, float *sums)
{
    int own = threadIdx.x;
    // The result of the previous reduction may still be read.
    BARRIER();
    sums[own] = value;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        BARRIER();
        if (own < half)
            sums[own] += sums[own + half];
    }
    BARRIER();
    return sums[0];
}

// The largest of all threads' values, likewise.
INSIDE float block_largest(float value, float *values)
{
    int own = threadIdx.x;
    BARRIER();
    values[own] = value;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        BARRIER();
        if (own < half && values[own + half] > values[own])
            values[own] = values[own + half];
    }
    BARRIER();
    return values[0];
}

// ReLU, residual and PReLU, each optional. NaN is preserved.
INSIDE float finished_value(float value, int relu, const float *residual, const float *slopes, size_t at, int channel)
{
    if (relu && value < 0.0f)
        value = 0.0f;
    if (residual)
        value += residual[at];
    if (slopes && !(value > 0.0f))
        value *= slopes[channel];
    return value;
}

// Instance norm, one block per plane: its mean, then its variance, then the values. `residual` and `slopes` may be null.
KERNEL(normalised)(
    const float *x, const float *weight, const float *bias,
    const float *residual, const float *slopes, float *out,
    int channels, int plane, float eps, int relu)
{
    SHARED float sums[MOST_THREADS];
    int channel = blockIdx.x % channels;
    size_t first = (size_t)blockIdx.x * plane;
    const float *from = x + first;

    float sum = 0.0f;
    for (int i = threadIdx.x; i < plane; i += blockDim.x)
        sum += from[i];
    float mean = block_sum(sum, sums) / plane;

    // Sums of deviations from nearly the mean; the remainder `off` is subtracted again.
    float squares = 0.0f;
    float off = 0.0f;
    for (int i = threadIdx.x; i < plane; i += blockDim.x) {
        float away = from[i] - mean;
        squares += away * away;
        off += away;
    }
    off = block_sum(off, sums) / plane;
    float variance = block_sum(squares, sums) / plane - off * off;
    if (variance < 0.0f)
        variance = 0.0f;

    float scale = weight[channel] / sqrtf(variance + eps);
    float shift = bias[channel] - off * scale;
    for (int i = threadIdx.x; i < plane; i += blockDim.x) {
        float value = (from[i] - mean) * scale + shift;
        out[first + i] = finished_value(value, relu, residual, slopes, first + i, channel);
    }
}

// `x * scale + shift` per channel, ReLU, residual and PReLU. All pointers except `x` and `out` may be null.
KERNEL(finished)(
    const float *x, const float *scale, const float *shift,
    const float *residual, const float *slopes, float *out,
    int count, int channels, int plane, int relu)
{
    int i = RESULT;
    if (i >= count)
        return;
    int channel = i / plane % channels;
    float value = x[i];
    if (scale)
        value *= scale[channel];
    if (shift)
        value += shift[channel];
    out[i] = finished_value(value, relu, residual, slopes, i, channel);
}

// Adds to `x` at each position the value of its channel, row class and column class. `table` holds the values, channel
// by channel, then the class of each row and of each column.
KERNEL(classed)(
    const float *x, const float *table, float *out,
    int count, int channels, int row_classes, int column_classes, int height, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    const float *rows = table + channels * row_classes * column_classes;
    const float *columns = rows + height;
    int column = (int)columns[i % width];
    int row = (int)rows[i / width % height];
    int channel = i / width / height % channels;
    out[i] = x[i] + table[(channel * row_classes + row) * column_classes + column];
}

INSIDE float sigmoid_of(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

KERNEL(sigmoid_values)(const float *x, float *out, int count)
{
    int i = RESULT;
    if (i < count)
        out[i] = sigmoid_of(x[i]);
}

KERNEL(tanh_values)(const float *x, float *out, int count)
{
    int i = RESULT;
    if (i < count)
        out[i] = tanhf(x[i]);
}

// For pictures of four channels: `tanh` of three and the sigmoid of the last.
KERNEL(headed)(const float *x, float *color, float *attention, int count, int plane)
{
    int i = RESULT;
    if (i >= count)
        return;
    int place = i % plane;
    int channel = i / plane % 4;
    int picture = i / plane / 4;
    if (channel < 3)
        color[(picture * 3 + channel) * plane + place] = tanhf(x[i]);
    else
        attention[picture * plane + place] = sigmoid_of(x[i]);
}

// `relu(start + codes rows)`, for small `depth`.
KERNEL(affine_relu)(
    const float *codes, const float *rows, const float *start, float *out,
    int count, int depth, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    const float *code = codes + (size_t)(i / width) * depth;
    int column = i % width;
    float sum = start[column];
    for (int k = 0; k < depth; k++)
        sum += code[k] * rows[(size_t)k * width + column];
    out[i] = sum < 0.0f ? 0.0f : sum;
}
