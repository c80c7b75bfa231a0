/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>

#include "simulate/cap.h"

#define HOUR_S 3600

/* The competitive ratio of k-min search with prices from low to high: the root of
 * (1 - low / high) / (1 - 1 / alpha) = (1 + 1 / (k alpha))^k, whose left side falls from infinity
 * below the right one, which is at least 1. */
static double ratio(double low, double high, double k)
{
    double from = 1, to = high / low + 1;
    for (int i = 0; i < 60; i++) {
        double alpha = (from + to) / 2;
        double left = (1 - low / high) / (1 - 1 / alpha);
        if (left > exp(k * log1p(1 / (k * alpha))))
            from = alpha;
        else
            to = alpha;
    }
    return to;
}

uint64_t cap_quota(const struct series *belief, int64_t now_s, uint64_t cores)
{
    double now = series_at(belief, now_s), low = now, high = now;
    uint64_t open = (uint64_t)ceil(CAP_OPEN_SHARE * (double)cores);
    double k = (double)(cores - open);
    for (int64_t t_s = now_s; t_s < now_s + CAP_HORIZON_S; t_s += HOUR_S) {
        low = fmin(low, series_at(belief, t_s));
        high = fmax(high, series_at(belief, t_s));
    }
    if (k < 1 || !(high > low) || low <= 0)
        return cores;
    /* threshold i, from 1 on: high (1 - (1 - 1 / alpha) r^(i - 1)), r = 1 + 1 / (k alpha); the
     * quota grows by one for each that is not below now */
    double alpha = ratio(low, high, k);
    double share = (1 - now / high) / (1 - 1 / alpha);
    if (share < 1)
        return open;
    double reached = floor(log(share) / log1p(1 / (k * alpha)) + 1e-9) + 1;
    return open + (uint64_t)fmin(reached, k);
}
