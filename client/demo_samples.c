#include "client/demo.h"

int demo_samples(struct demo_market *market, struct error *error)
{
    (void)market;
    (void)error;
    return 0;
}
