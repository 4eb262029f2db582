/* Fills a store (fill.h), for tests of the CLI without a daemon and for timing: fill_store DATA_DIR
 * [CERTIFICATES]. */
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "store/store.h"
#include "tests/lib/fill.h"

enum { CERTS_DEFAULT = 96 };

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int64_t certificates = CERTS_DEFAULT;
	if (argc < 2 || argc > 3 ||
		(argc == 3 && text_parse_int(argv[2], 0, 10000000, &certificates, &err) != 0)) {
		fprintf(stderr, "usage: fill_store DATA_DIR [CERTIFICATES]\n");
		return 2;
	}
	struct store *store = store_open(NULL, &(struct store_options){.data_dir = argv[1]}, &err);
	if (store == NULL || fill(store, (uint32_t)certificates, clock_now_s(), &err) != 0) {
		fprintf(stderr, "fill_store: %s\n", err.text);
		store_close(store);
		return 1;
	}
	store_close(store);
	return 0;
}
