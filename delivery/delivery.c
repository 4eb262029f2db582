#include "delivery/delivery.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Begins with the time, so that ids sort by it. */
void delivery_new_id(char prefix, int64_t now_s, char ret_id[DELIVERY_ID_MAX + 1])
{
	unsigned char random[5];
	struct tm tm;
	time_t now = (time_t)now_s;
	char at[20];
	if (RAND_bytes(random, sizeof(random)) != 1 || gmtime_r(&now, &tm) == NULL)
		abort();
	strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
	snprintf(ret_id, DELIVERY_ID_MAX + 1, "%c-%s-%02x%02x%02x%02x%02x", prefix, at, random[0],
		random[1], random[2], random[3], random[4]);
}
