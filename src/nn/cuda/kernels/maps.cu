// Sampling, resizing, concatenating and masking of pictures and maps.

// A position between two samples of an axis: both samples, and their weights. A sample outside has weight 0.
typedef struct {
    int low;
    int high;
    float low_weight;
    float high_weight;
} Place;

// Mirrors a position into the picture: at the outermost samples, or at the edges, and then clamped to the outermost samples.
INSIDE float mirrored_place(float at, int size, int align_corners)
{
    float last = size - 1.0f;
    float from = align_corners ? 0.0f : -0.5f;
    float span = align_corners ? last : (float)size;
    if (span == 0.0f)
        // Zero, or NaN if `at` is not finite.
        return at - at;
    float away = fabsf(at - from);
    float turns = floorf(away / span);
    float rest = away - turns * span;
    float back = (fmodf(turns, 2.0f) == 0.0f ? rest : span - rest) + from;
    // Comparisons that preserve NaN.
    back = back < 0.0f ? 0.0f : back;
    return back > last ? last : back;
}

INSIDE Place place_at(float at, int size, int mirrored, int align_corners)
{
    Place place = {0, 0, 0.0f, 0.0f};
    float last = size - 1.0f;
    if (align_corners)
        at = (at + 1.0f) / 2.0f * last;
    else
        at = ((at + 1.0f) * size - 1.0f) / 2.0f;
    if (mirrored)
        at = mirrored_place(at, size, align_corners);
    // Also false for NaN.
    if (!(at > -1.0f && at < (float)size))
        return place;
    float low = floorf(at);
    float share = at - low;
    place.low = low < 0.0f ? 0 : (int)low;
    place.high = low + 1.0f > last ? (int)last : (int)low + 1;
    place.low_weight = low < 0.0f ? 0.0f : 1.0f - share;
    place.high_weight = low + 1.0f > last ? 0.0f : share;
    return place;
}

// Samples pictures at grids, bilinearly; `pictures` is 1 if all grids use the same one.
KERNEL(sampled)(
    const float *x, const float *grid, float *out,
    int count, int pictures, int channels, int height, int width, int places, int mirrored, int align_corners)
{
    int i = RESULT;
    if (i >= count)
        return;
    int place = i % places;
    int channel = i / places % channels;
    int of = i / places / channels;
    const float *at = grid + 2 * ((size_t)of * places + place);
    Place across = place_at(at[0], width, mirrored, align_corners);
    Place down = place_at(at[1], height, mirrored, align_corners);
    int picture = pictures == 1 ? 0 : of;
    const float *from = x + ((size_t)picture * channels + channel) * height * width;
    const float *top = from + down.low * width;
    const float *bottom = from + down.high * width;
    float above = across.low_weight * top[across.low] + across.high_weight * top[across.high];
    float below = across.low_weight * bottom[across.low] + across.high_weight * bottom[across.high];
    out[i] = down.low_weight * above + down.high_weight * below;
}

// The lower of the two samples around output `i` of an axis; `share` is the weight of the other.
INSIDE int lower_sample(int i, int from, int to, int align_corners, float *share)
{
    // In integers, so that nothing is rounded before the weight.
    int over = align_corners ? i * (from - 1) : (2 * i + 1) * from - to;
    int by = align_corners ? to - 1 : 2 * to;
    *share = 0.0f;
    if (over <= 0 || by == 0)
        return 0;
    *share = (float)(over % by) / (float)by;
    return over / by;
}

// Resizes planes bilinearly. A position holds `inner` adjacent values: 1, or 2 for a flow.
KERNEL(resized)(
    const float *x, float *out,
    int count, int from_height, int from_width, int height, int width, int inner, int align_corners)
{
    int i = RESULT;
    if (i >= count)
        return;
    int part = i % inner;
    int column = i / inner % width;
    int row = i / inner / width % height;
    int plane = i / inner / width / height;
    float down, along;
    int top = lower_sample(row, from_height, height, align_corners, &down);
    int left = lower_sample(column, from_width, width, align_corners, &along);
    int bottom = top + 1 < from_height ? top + 1 : top;
    int right = left + 1 < from_width ? left + 1 : left;
    const float *from = x + (size_t)plane * from_height * from_width * inner + part;
    float top_left = from[(top * from_width + left) * inner];
    float top_right = from[(top * from_width + right) * inner];
    float bottom_left = from[(bottom * from_width + left) * inner];
    float bottom_right = from[(bottom * from_width + right) * inner];
    float above = top_left + (top_right - top_left) * along;
    float below = bottom_left + (bottom_right - bottom_left) * along;
    out[i] = above + (below - above) * down;
}

// Filters with `taps` along both axes, with zeros outside, and keeps every `factor`-th sample.
KERNEL(anti_aliased)(
    const float *x, const float *taps, float *out,
    int count, int height, int width, int out_height, int out_width, int factor, int size)
{
    int i = RESULT;
    if (i >= count)
        return;
    int left = i % out_width * factor - size / 2;
    int top = i / out_width % out_height * factor - size / 2;
    const float *from = x + (size_t)(i / out_width / out_height) * height * width;
    float sum = 0.0f;
    for (int row = 0; row < size; row++) {
        if (top + row < 0 || top + row >= height)
            continue;
        float line = 0.0f;
        for (int column = 0; column < size; column++)
            if (left + column >= 0 && left + column < width)
                line += taps[column] * from[(top + row) * width + left + column];
        sum += taps[row] * line;
    }
    out[i] = sum;
}

// Average or max pooling 2x2; an odd last row or column is dropped.
KERNEL(pool_halved)(
    const float *x, float *out,
    int count, int height, int width, int out_height, int out_width, int largest)
{
    int i = RESULT;
    if (i >= count)
        return;
    int column = i % out_width;
    int row = i / out_width % out_height;
    const float *top = x + (size_t)(i / out_width / out_height) * height * width + 2 * row * width + 2 * column;
    const float *bottom = top + width;
    if (largest)
        out[i] = fmaxf(fmaxf(top[0], top[1]), fmaxf(bottom[0], bottom[1]));
    else
        out[i] = (top[0] + top[1] + (bottom[0] + bottom[1])) * 0.25f;
}

// Max pooling with kernel 3, stride 2, padding 1.
KERNEL(max_pool_3)(
    const float *x, float *out,
    int count, int height, int width, int out_height, int out_width)
{
    int i = RESULT;
    if (i >= count)
        return;
    int column = 2 * (i % out_width);
    int row = 2 * (i / out_width % out_height);
    const float *from = x + (size_t)(i / out_width / out_height) * height * width;
    float most = -INFINITY;
    for (int y = row - 1; y <= row + 1; y++)
        for (int at = column - 1; at <= column + 1; at++)
            if (y >= 0 && y < height && at >= 0 && at < width)
                most = fmaxf(most, from[y * width + at]);
    out[i] = most;
}

// Nearest-neighbour upsampling by 2.
KERNEL(upsampled)(const float *x, float *out, int count, int height, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    int column = i % (2 * width) / 2;
    int row = i / (2 * width) % (2 * height) / 2;
    int plane = i / (2 * width) / (2 * height);
    out[i] = x[((size_t)plane * height + row) * width + column];
}

// Interleaves four planes, one per phase, to one of twice the size (pixel shuffle).
KERNEL(interleaved)(const float *x, float *out, int count, int height, int width)
{
    int i = RESULT;
    if (i >= count)
        return;
    int column = i % (2 * width);
    int row = i / (2 * width) % (2 * height);
    int plane = i / (2 * width) / (2 * height);
    int phase = row % 2 * 2 + column % 2;
    out[i] = x[(((size_t)plane * 4 + phase) * height + row / 2) * width + column / 2];
}

// For each picture `first` values of `a`, then `second` of `b`.
KERNEL(concat_channels)(const float *a, const float *b, float *out, int count, int first, int second)
{
    int i = RESULT;
    if (i >= count)
        return;
    int picture = i / (first + second);
    int at = i % (first + second);
    out[i] = at < first ? a[picture * first + at] : b[picture * second + at - first];
}

// Multiplies every plane by one mask.
KERNEL(masked)(const float *x, const float *mask, float *out, int count, int plane)
{
    int i = RESULT;
    if (i < count)
        out[i] = x[i] * mask[i % plane];
}

// Interpolates from `a` to `b` by one mask for all planes.
KERNEL(lerp_masked)(const float *a, const float *b, const float *mask, float *out, int count, int plane)
{
    int i = RESULT;
    if (i < count)
        out[i] = a[i] + (b[i] - a[i]) * mask[i % plane];
}
