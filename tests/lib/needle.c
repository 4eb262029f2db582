#include "tests/lib/needle.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	SKIPPED = 16,
	COMPARED = NEEDLE_LEN - SKIPPED,
	MAPPINGS_MAX = 4096,
	MAPPING_BYTES_MAX = 1 << 28, /* the shadow memory of a sanitizer is larger */
	WINDOW = 65536,
};

struct mapping {
	uintptr_t start, end;
};

static char needle_byte(unsigned seed, size_t at)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345";
	uint32_t mixed = seed * 2654435761u + (uint32_t)at * 40503u;
	mixed ^= mixed >> 15;
	mixed *= 2246822519u;
	mixed ^= mixed >> 13;
	return alphabet[mixed % (sizeof(alphabet) - 1)];
}

void needle_make(unsigned seed, char ret_text[NEEDLE_LEN + 1])
{
	for (size_t i = 0; i < NEEDLE_LEN; i++)
		ret_text[i] = needle_byte(seed, i);
	ret_text[NEEDLE_LEN] = '\0';
}

static size_t list_mappings(struct mapping *mapping)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	if (maps == NULL) {
		perror("/proc/self/maps");
		abort();
	}
	size_t count = 0;
	char line[512];
	while (fgets(line, sizeof(line), maps) != NULL && count < MAPPINGS_MAX) {
		struct mapping *next = &mapping[count];
		char access[5];
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &next->start, &next->end,
			    access) != 3)
			continue;
		/* By address: valgrind's stack does not bear the name. */
		uintptr_t here = (uintptr_t)line;
		bool is_stack = here >= next->start && here < next->end;
		bool is_searched = strncmp(access, "rw", 2) == 0 && !is_stack &&
				   next->end - next->start <= MAPPING_BYTES_MAX;
		count += is_searched ? 1 : 0;
	}
	fclose(maps);
	return count;
}

static bool matches(const char *text, unsigned seed)
{
	for (size_t i = 0; i < COMPARED; i++) {
		if (text[i] != needle_byte(seed, SKIPPED + i))
			return false;
	}
	return true;
}

static size_t count_in(const char *window, size_t len, unsigned seed)
{
	size_t found = 0;
	const char *at = window, *last = window + len - COMPARED;
	char first = needle_byte(seed, SKIPPED);
	while (at <= last && (at = memchr(at, first, (size_t)(last - at) + 1)) != NULL) {
		found += matches(at, seed) ? 1 : 0;
		at++;
	}
	return found;
}

size_t needle_count(unsigned seed)
{
	static struct mapping mapping[MAPPINGS_MAX];
	char window[WINDOW]; /* on the stack, which is not searched */
	size_t found = 0, count = list_mappings(mapping);
	for (size_t i = 0; i < count; i++) {
		/* The kernel copies, so that neither a sanitizer nor valgrind objects to freed memory.
		 * Windows overlap by what a match needs, less one. */
		for (uintptr_t at = mapping[i].start; at + COMPARED <= mapping[i].end;
			at += WINDOW - (COMPARED - 1)) {
			struct iovec to = {.iov_base = window, .iov_len = WINDOW};
			struct iovec from = {.iov_base = (void *)at, .iov_len = WINDOW};
			if (from.iov_len > mapping[i].end - at)
				from.iov_len = mapping[i].end - at;
			ssize_t len = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
			if (len >= COMPARED)
				found += count_in(window, (size_t)len, seed);
		}
	}
	return found;
}
