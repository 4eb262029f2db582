/* A vault beside a store (store_fixture.h): keys that are sealed, opened, and changed by a stranger. */
#ifndef TESTS_STORE_VAULT_FIXTURE_H
#define TESTS_STORE_VAULT_FIXTURE_H

#include "base/err.h"
#include "store/delivery_internal.h"
#include "store/vault.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, WEEK_S = VAULT_EPOCH_S, NOW_S = SAMPLE_NOW_S };

#define VAULT_TEST(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, vault_fixture_set_up, vault_fixture_tear_down)

extern struct vault *vault;   /* open while a test runs */
extern const char key_text[]; /* looks like a private key */

int vault_fixture_set_up(void **state);
int vault_fixture_tear_down(void **state);
void vault_fixture_open(void);
void vault_fixture_reopen(void); /* the store too: the daemon starts again */

/* --- records ---------------------------------------------------------------------------------- */

void seal_as(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret);	      /* owned: put_sealed */
void put_sealed(struct vault_sealed *sealed); /* and clears it */
void seal_and_put(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s);
void delete_sealed(const char *id);
bool has_sealed(const char *id);
int unseal(const char *id, struct secret *ret, struct err *err);
void assert_opens(const char *id, const char *text);
/* part: of the message. */
void assert_fails(const char *id, enum err_kind kind, const char *part);

/* --- epochs ----------------------------------------------------------------------------------- */

void sweep(int64_t now_s);
bool has_epoch(int64_t number); /* its file */

/* --- records as they are stored --------------------------------------------------------------- */

struct raw {
	const char *id;
	unsigned char *bytes; /* owned by who has got it */
	size_t len;
};
struct raw get_raw(const char *id);
void put_raw(const struct raw *raw);
struct vault_record decode_raw(const struct raw *raw); /* points into raw */

#endif
