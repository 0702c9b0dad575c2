// Pictures and maps warped, resized, concatenated and masked.

// A place between two samples of an axis: both, and their weights. A sample outside has no weight.
typedef struct {
    int low;
    int high;
    float low_weight;
    float high_weight;
} Place;

// Mirrors a place back into the picture: about the outermost samples, or about the edges and then onto the samples.
INSIDE float mirrored_place(float at, int size, int align_corners)
{
    float last = size - 1.0f;
    float from = align_corners ? 0.0f : -0.5f;
    float span = align_corners ? last : (float)size;
    if (span == 0.0f)
        // Zero, or NaN.
        return at - at;
    float away = fabsf(at - from);
    float turns = floorf(away / span);
    float rest = away - turns * span;
    float back = (fmodf(turns, 2.0f) == 0.0f ? rest : span - rest) + from;
    // Comparisons that let NaN through.
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
    // Nor NaN.
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

// Pictures seen through grids, bilinearly; `pictures` is 1 where all grids see the same one.
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

// The lower of the two samples about result `i` of an axis; `share` is the weight of the other.
INSIDE int lower_sample(int i, int from, int to, int align_corners, float *share)
{
    // In whole numbers, so that nothing is rounded before the share.
    int over = align_corners ? i * (from - 1) : (2 * i + 1) * from - to;
    int by = align_corners ? to - 1 : 2 * to;
    *share = 0.0f;
    if (over <= 0 || by == 0)
        return 0;
    *share = (float)(over % by) / (float)by;
    return over / by;
}

// Planes at another size, bilinearly. A place holds `inner` values side by side: 1, or 2 of a flow.
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

// Every `factor`-th sample under the product of `taps` along both axes, with zeros outside.
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

// The mean, or the largest, of every 2x2 samples; an odd row or column at the end is left out.
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

// The largest of 3x3 samples about every second one.
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

// Every sample as two along each axis.
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

// Of four planes, each holding every second sample of every second row, one.
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

// Of each picture `first` values of `a`, then `second` of `b`.
KERNEL(concat_channels)(const float *a, const float *b, float *out, int count, int first, int second)
{
    int i = RESULT;
    if (i >= count)
        return;
    int picture = i / (first + second);
    int at = i % (first + second);
    out[i] = at < first ? a[picture * first + at] : b[picture * second + at - first];
}

// Every plane times one mask.
KERNEL(masked)(const float *x, const float *mask, float *out, int count, int plane)
{
    int i = RESULT;
    if (i < count)
        out[i] = x[i] * mask[i % plane];
}

// Every plane of `a`, and of `b` as much as one mask says.
KERNEL(lerp_masked)(const float *a, const float *b, const float *mask, float *out, int count, int plane)
{
    int i = RESULT;
    if (i < count)
        out[i] = a[i] + (b[i] - a[i]) * mask[i % plane];
}
