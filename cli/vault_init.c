#include "cli/vault_init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/tool.h"
#include "sensor/local_api.h"

enum {
	SYSTEMD_WITH_CREDENTIALS = 247,
	SYSTEMD_WITH_SEALED_ONES = 250,
	OPENED_MAX = 4096,
	SEALED_MAX = 65536, /* a TPM's policy and two wrapped keys take 1 KiB */
	KEY_MODE = 0600,
	DROP_IN_MODE = 0644,
};

static const char name_argument[] = "--name=" LOCAL_API_VAULT_KEY;

int vault_way_of(const char *version, enum vault_way *ret_way, struct err *err)
{
	static const char begin[] = "systemd ";
	char digits[8] = "";
	int64_t number;
	if (text_has_prefix(version, begin)) {
		const char *at = version + strlen(begin);
		(void)snprintf(digits, sizeof(digits), "%.*s", (int)strspn(at, "0123456789"), at);
	}
	if (text_parse_int(digits, 1, INT32_MAX, &number, err) != 0)
		return err_set(err, ERR_CONFIG,
			"`systemctl --version` does not tell systemd's version; without systemd: "
			"acmsensor vault init --key-file FILE");
	if (number < SYSTEMD_WITH_CREDENTIALS)
		return err_set(err, ERR_CONFIG,
			"systemd %lld knows no credentials (%d does): acmsensor vault init "
			"--key-file FILE",
			(long long)number, SYSTEMD_WITH_CREDENTIALS);
	*ret_way = number >= SYSTEMD_WITH_SEALED_ONES ? VAULT_SEALED : VAULT_CREDENTIAL;
	return 0;
}

static char *drop_in_path(const struct vault_places *places)
{
	return xasprintf("%s/vault-key.conf", places->drop_in_dir);
}

static char *former_key_path(const struct vault_places *places)
{
	return xasprintf("%s/vault/master.key", places->data_dir);
}

/* --- what is there already ------------------------------------------------------------------- */

static int refuse_existing(const char *path, struct err *err)
{
	struct stat status;
	if (lstat(path, &status) == 0)
		return err_set(err, ERR_REFUSED,
			"%s is there already: the vault's key is never overwritten. Nothing was "
			"changed",
			path);
	return errno == ENOENT || errno == ENOTDIR
		       ? 0
		       : err_set_errno(err, ERR_SYSTEM, "cannot look at %s", path);
}

/* Whether the daemon has sealed anything. */
static int find_epochs(const char *data_dir, bool *ret_is_there, struct err *err)
{
	char *path = xasprintf("%s/vault", data_dir);
	DIR *folder = opendir(path);
	int rc = folder != NULL || errno == ENOENT
			 ? 0
			 : err_set_errno(err, ERR_SYSTEM, "cannot list %s", path);
	*ret_is_there = false;
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		*ret_is_there = *ret_is_there || text_has_prefix(entry->d_name, "epoch-");
	if (folder != NULL)
		(void)closedir(folder); /* was only read */
	free(path);
	return rc;
}

/* The daemon's own key; *ret_is_there: whether there is one. No link is followed: the folder is not
 * root's. */
static int read_former(
	const char *path, struct secret *ret_key, bool *ret_is_there, struct err *err)
{
	unsigned char bytes[SEAL_KEY_LEN + 1];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	*ret_is_there = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set_errno(err, ERR_SYSTEM, "cannot read %s", path);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	int rc = 0;
	if (len < 0)
		rc = err_set_errno(err, ERR_SYSTEM, "cannot read %s", path);
	else if (len != SEAL_KEY_LEN)
		rc = err_set(
			err, ERR_CONFIG, "%s is no key: it has not %d bytes", path, SEAL_KEY_LEN);
	else
		secret_set(ret_key, bytes, SEAL_KEY_LEN);
	mem_wipe(bytes, sizeof(bytes));
	(void)close(fd); /* was only read */
	return rc;
}

static int find_key(const struct vault_places *places, struct secret *ret_key,
	bool *ret_is_taken_over, struct err *err)
{
	char *former = former_key_path(places);
	bool has_epochs = false;
	int rc = read_former(former, ret_key, ret_is_taken_over, err);
	if (rc == 0 && !*ret_is_taken_over)
		rc = find_epochs(places->data_dir, &has_epochs, err);
	if (rc == 0 && has_epochs)
		rc = err_set(err, ERR_REFUSED,
			"%s/vault has keys that are sealed under a master key that is not here, and "
			"a new one would open none of them: put it into %s (from a backup), then "
			"try again",
			places->data_dir, former);
	else if (rc == 0 && !*ret_is_taken_over)
		rc = seal_make_key(ret_key, err);
	free(former);
	return rc;
}

/* --- what is made ---------------------------------------------------------------------------- */

/* A new file, whole on the disk or not there. */
static int make_file(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set_errno(err, ERR_SYSTEM, "cannot make %s", path);
	int rc = 0;
	if (fchmod(fd, mode) != 0 || write(fd, bytes, len) != (ssize_t)len || fsync(fd) != 0)
		rc = err_set_errno(err, ERR_SYSTEM, "cannot write %s", path);
	if (close(fd) != 0 && rc == 0)
		rc = err_set_errno(err, ERR_SYSTEM, "cannot write %s", path);
	if (rc != 0)
		(void)unlink(path); /* the failure is told already */
	return rc;
}

/*
 * Sealed by this host: its TPM if it has one, and systemd's key of the host. Not bound to PCRs: an
 * update of the firmware would take the key away.
 */
static int seal_key(const struct secret *key, struct buf *to, struct err *err)
{
	static const char *const argv[] = {
		"systemd-creds", "encrypt", name_argument, "--tpm2-pcrs=", "-", "-", NULL};
	if (tool_run(argv, key->bytes, key->len, to, err) != 0)
		return err_wrap(err, "the key could not be sealed");
	return 0;
}

/* What cannot be opened again now will not be at the daemon's start either. */
static int check_sealed(const struct secret *key, const char *path, struct err *err)
{
	const char *const argv[] = {"systemd-creds", "decrypt", name_argument, path, "-", NULL};
	struct secret opened = SECRET_INIT;
	struct buf output;
	buf_init_secret(&output, OPENED_MAX);
	int rc = tool_run(argv, NULL, 0, &output, err);
	if (rc == 0)
		secret_set(&opened, buf_text(&output), output.len);
	if (rc == 0 && !secret_equal(&opened, key))
		rc = err_set(err, ERR_SYSTEM, "it opened to something else");
	secret_clear(&opened);
	buf_clear(&output);
	return rc == 0 ? 0 : err_wrap(err, "the sealed key could not be opened again");
}

/* The daemon's, when root makes it. */
static int give_to_daemon(const char *path, const char *data_dir, struct err *err)
{
	struct stat status;
	if (geteuid() != 0 || stat(data_dir, &status) != 0)
		return 0;
	if (chown(path, status.st_uid, status.st_gid) == 0)
		return 0;
	return err_set_errno(err, ERR_SYSTEM, "cannot give %s to the user of %s", path, data_dir);
}

static int make_key_file(enum vault_way way, const struct vault_places *places,
	const struct secret *key, struct err *err)
{
	struct buf sealed;
	buf_init(&sealed, SEALED_MAX);
	int rc = way == VAULT_SEALED ? seal_key(key, &sealed, err) : 0;
	if (rc == 0 && way == VAULT_SEALED)
		rc = make_file(places->key_file, KEY_MODE, sealed.data, sealed.len, err);
	else if (rc == 0)
		rc = make_file(places->key_file, KEY_MODE, key->bytes, key->len, err);
	buf_clear(&sealed);
	if (rc != 0)
		return rc;
	if (way == VAULT_SEALED)
		rc = check_sealed(key, places->key_file, err);
	else if (way == VAULT_FILE)
		rc = give_to_daemon(places->key_file, places->data_dir, err);
	if (rc != 0)
		(void)unlink(places->key_file); /* the failure is told already */
	return rc;
}

static int make_drop_in(enum vault_way way, const struct vault_places *places, struct err *err)
{
	char *path = drop_in_path(places);
	char *text =
		xasprintf("# Made by `acmsensor vault init`: where the vault's master key is.\n"
			  "[Service]\n"
			  "%s=" LOCAL_API_VAULT_KEY ":%s\n",
			way == VAULT_SEALED ? "LoadCredentialEncrypted" : "LoadCredential",
			places->key_file);
	int rc = mkdir(places->drop_in_dir, 0755) == 0 || errno == EEXIST
			 ? make_file(path, DROP_IN_MODE, text, strlen(text), err)
			 : err_set_errno(err, ERR_SYSTEM, "cannot make %s", places->drop_in_dir);
	free(text);
	free(path);
	return rc;
}

int vault_init(enum vault_way way, const struct vault_places *places, bool *ret_is_taken_over,
	struct err *err)
{
	struct secret key = SECRET_INIT;
	char *drop_in = way != VAULT_FILE ? drop_in_path(places) : NULL;
	int rc = refuse_existing(places->key_file, err);
	if (rc == 0 && drop_in != NULL)
		rc = refuse_existing(drop_in, err);
	if (rc == 0)
		rc = find_key(places, &key, ret_is_taken_over, err);
	if (rc == 0)
		rc = make_key_file(way, places, &key, err);
	if (rc == 0 && drop_in != NULL) {
		rc = make_drop_in(way, places, err);
		if (rc != 0)
			(void)unlink(places->key_file); /* the failure is told already */
	}
	secret_clear(&key);
	free(drop_in);
	return rc;
}

/* --- what to do next ------------------------------------------------------------------------- */

void vault_init_next(
	enum vault_way way, const struct vault_places *places, bool is_taken_over, struct buf *to)
{
	buf_addf(to, "The vault's master key is in %s%s.\n\n", places->key_file,
		way == VAULT_SEALED ? ", sealed by this host" : "");
	buf_add_text(to,
		"1. Back up the key apart from the store and never with it; without it what "
		"the vault\n   has sealed is lost:\n");
	if (way == VAULT_SEALED)
		buf_addf(to,
			"     systemd-creds decrypt %s %s - | base64\n"
			"   (the sealed file itself is of use on this host only)\n",
			name_argument, places->key_file);
	else
		buf_addf(to, "     base64 %s\n", places->key_file);
	if (way == VAULT_FILE)
		buf_addf(to,
			"2. Name it in the configuration, section [sensor], and restart the "
			"daemon:\n     vault_key_file = %s\n",
			places->key_file);
	else
		buf_add_text(to, "2. If the daemon runs:\n     systemctl restart acmsensord\n");
	if (is_taken_over)
		buf_addf(to,
			"3. It is the key that the daemon made for itself. When the restart has "
			"worked, destroy that\n   copy:\n     shred -u %s/vault/master.key\n",
			places->data_dir);
}
