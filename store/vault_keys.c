/*
 * The master key and the keys of epochs. An epoch file is a line that says what it is, then the
 * epoch's key sealed under the master key, with the epoch's name as associated data.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/text.h"
#include "store/vault.h"
#include "store/vault_internal.h"

#define MASTER_NAME  "master.key"
#define EPOCH_PREFIX "epoch-"
#define EPOCH_BEGIN  "acmsensor vault epoch 1\n"
enum {
	EPOCH_BEGIN_LEN = sizeof(EPOCH_BEGIN) - 1,
	EPOCH_FILE_LEN = EPOCH_BEGIN_LEN + SEAL_KEY_LEN + SEAL_OVERHEAD,
	EPOCH_NAME_BYTES = 32,
	EPOCH_DIGITS_MAX = 18,	 /* any of them fits an int64_t */
	EPOCH_FILES_MAX = 10000, /* a new one a week: more were not made by us */
};

static void name_epoch(int64_t number, char ret_name[EPOCH_NAME_BYTES])
{
	snprintf(ret_name, EPOCH_NAME_BYTES, EPOCH_PREFIX "%" PRId64, number);
}

/* false: another file. */
static bool parse_epoch_name(const char *name, int64_t *ret_number)
{
	if (!text_has_prefix(name, EPOCH_PREFIX))
		return false;
	const char *digits = name + strlen(EPOCH_PREFIX);
	size_t len = strlen(digits);
	if (len > EPOCH_DIGITS_MAX || !text_is_digits(digits, len) || digits[0] == '0')
		return false;
	*ret_number = strtoll(digits, NULL, 10);
	return true;
}

/* --- the list of epochs ---------------------------------------------------------------------- */

static struct vault_epoch *insert(struct vault *vault, int64_t number)
{
	size_t at = vault->epoch_count;
	vault->epoch = xgrow(
		vault->epoch, &vault->epoch_capacity, vault->epoch_count, sizeof(*vault->epoch));
	while (at > 0 && vault->epoch[at - 1].number > number) {
		vault->epoch[at] = vault->epoch[at - 1];
		at--;
	}
	vault->epoch[at] = (struct vault_epoch){.number = number, .key = SECRET_INIT};
	vault->epoch_count++;
	return &vault->epoch[at];
}

struct vault_epoch *vault_epoch_find(struct vault *vault, int64_t number)
{
	for (size_t i = 0; i < vault->epoch_count; i++)
		if (vault->epoch[i].number == number)
			return &vault->epoch[i];
	return NULL;
}

/* Either way: when the clock was set back, the epoch before it goes on; when it was years ahead for
 * a while, that epoch does not take records for years. */
static bool is_of_time(const struct vault_epoch *epoch, int64_t now_s)
{
	return secret_is_set(&epoch->key) && now_s - epoch->number < VAULT_EPOCH_S &&
	       epoch->number - now_s < VAULT_EPOCH_S;
}

struct vault_epoch *vault_epoch_current(struct vault *vault, int64_t now_s)
{
	for (size_t i = vault->epoch_count; i > 0; i--)
		if (is_of_time(&vault->epoch[i - 1], now_s))
			return &vault->epoch[i - 1];
	return NULL;
}

void vault_keys_clear(struct vault *vault)
{
	for (size_t i = 0; i < vault->epoch_count; i++)
		secret_clear(&vault->epoch[i].key);
	free(vault->epoch);
	vault->epoch = NULL;
	vault->epoch_count = vault->epoch_capacity = 0;
	secret_clear(&vault->master);
}

/* --- epoch files ----------------------------------------------------------------------------- */

static struct seal_context context_of(const char *name)
{
	return (struct seal_context){.bytes = name, .len = strlen(name)};
}

/* A file that is no whole epoch file leaves the key unset. */
static int load_epoch(
	struct vault *vault, struct vault_epoch *epoch, bool *ret_is_whole, struct err *err)
{
	char name[EPOCH_NAME_BYTES];
	struct secret file = SECRET_INIT;
	bool is_there;
	name_epoch(epoch->number, name);
	char *shown = xasprintf("%s/%s", vault->folder, name);
	int rc = vault_file_read(
		vault->folder_fd, name, shown, EPOCH_FILE_LEN, &file, &is_there, err);
	free(shown);
	*ret_is_whole = rc == 0 && is_there && file.len == EPOCH_FILE_LEN &&
			memcmp(file.bytes, EPOCH_BEGIN, EPOCH_BEGIN_LEN) == 0;
	struct secret key = SECRET_INIT;
	if (*ret_is_whole &&
		seal_open(vault->seal, &vault->master, context_of(name),
			file.bytes + EPOCH_BEGIN_LEN, file.len - EPOCH_BEGIN_LEN, &key))
		secret_move(&epoch->key, &key);
	secret_clear(&file);
	return rc;
}

/* A master key that opens none of the whole epoch files is another one. */
static int load_epochs(struct vault *vault, struct err *err)
{
	size_t whole = 0, opened = 0;
	for (size_t i = 0; i < vault->epoch_count; i++) {
		bool is_whole = false;
		if (load_epoch(vault, &vault->epoch[i], &is_whole, err) != 0)
			return -1;
		whole += is_whole;
		opened += secret_is_set(&vault->epoch[i].key);
	}
	if (whole == 0 || opened > 0)
		return 0;
	return err_set(err, ERR_CONFIG,
		"the master key opens none of the %zu epoch files in %s: it is not the key under "
		"which they were sealed (give back the right one, or move the files away and lose "
		"what they seal)",
		whole, vault->folder);
}

static int write_epoch(struct vault *vault, struct vault_epoch *epoch, struct err *err)
{
	unsigned char file[EPOCH_FILE_LEN] = EPOCH_BEGIN;
	char name[EPOCH_NAME_BYTES];
	name_epoch(epoch->number, name);
	if (seal_close(vault->seal, &vault->master, context_of(name), &epoch->key,
		    file + EPOCH_BEGIN_LEN, err) != 0)
		return -1;
	return vault_file_make(vault, name, file, sizeof(file), err);
}

struct vault_epoch *vault_epoch_make(struct vault *vault, int64_t now_s, struct err *err)
{
	struct vault_epoch made = {.number = now_s > 0 ? now_s : 1, .key = SECRET_INIT};
	while (vault_epoch_find(vault, made.number) != NULL)
		made.number++;
	if (seal_make_key(&made.key, err) != 0)
		return NULL;
	if (write_epoch(vault, &made, err) != 0) {
		secret_clear(&made.key);
		return NULL;
	}
	struct vault_epoch *epoch = insert(vault, made.number);
	secret_move(&epoch->key, &made.key);
	return epoch;
}

int vault_epoch_destroy(struct vault *vault, int64_t number, struct err *err)
{
	struct vault_epoch *epoch = vault_epoch_find(vault, number);
	char name[EPOCH_NAME_BYTES];
	name_epoch(number, name);
	int rc = vault_file_destroy(vault, name, err);
	if (epoch == NULL)
		return rc;
	/* The file may be there still; its key is not to be used any more. */
	secret_clear(&epoch->key);
	if (rc == 0) {
		size_t behind = (size_t)(vault->epoch + vault->epoch_count - (epoch + 1));
		memmove(epoch, epoch + 1, behind * sizeof(*epoch));
		vault->epoch_count--;
	}
	return rc;
}

/* --- the master key -------------------------------------------------------------------------- */

static int make_master(struct vault *vault, struct err *err)
{
	if (vault->epoch_count > 0)
		return err_set(err, ERR_CONFIG,
			"there is no master key %s/" MASTER_NAME ", but %zu epoch files are sealed "
			"under one: give it back (a backup of the key), or move them away and lose "
			"what they seal",
			vault->folder, vault->epoch_count);
	if (seal_make_key(&vault->master, err) != 0)
		return -1;
	return vault_file_make(vault, MASTER_NAME, vault->master.bytes, vault->master.len, err);
}

static int load_master(struct vault *vault, const char *file, struct err *err)
{
	bool is_there = false;
	char *shown = file != NULL ? xstrdup(file) : xasprintf("%s/" MASTER_NAME, vault->folder);
	int rc = vault_file_read(file != NULL ? AT_FDCWD : vault->folder_fd,
		file != NULL ? file : MASTER_NAME, shown, SEAL_KEY_LEN, &vault->master, &is_there,
		err);
	if (rc == 0 && !is_there && file != NULL)
		rc = err_set(err, ERR_CONFIG, "the master key file %s does not exist", shown);
	else if (rc == 0 && !is_there)
		rc = make_master(vault, err);
	else if (rc == 0 && vault->master.len != SEAL_KEY_LEN)
		rc = err_set(err, ERR_CONFIG, "the master key file %s has %zu bytes, not %d", shown,
			vault->master.len, SEAL_KEY_LEN);
	free(shown);
	return rc;
}

static int note_epoch(void *arg, const char *name, struct err *err)
{
	struct vault *vault = arg;
	int64_t number;
	if (!parse_epoch_name(name, &number))
		return 0;
	if (vault->epoch_count >= EPOCH_FILES_MAX)
		return err_set(err, ERR_CONFIG, "more than %d epoch files in %s", EPOCH_FILES_MAX,
			vault->folder);
	insert(vault, number);
	return 0;
}

int vault_keys_load(struct vault *vault, const char *master_key_file, struct err *err)
{
	if (vault_folder_each(vault, note_epoch, vault, err) != 0 ||
		load_master(vault, master_key_file, err) != 0)
		return -1;
	return load_epochs(vault, err);
}
