/* acmsensor vault init: a master key for the vault that lies elsewhere than what it seals. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/tool.h"
#include "cli/vault_init.h"
#include "sensor/local_api.h"

enum { VERSION_MAX = 4096, NEXT_MAX = 16384 };

#define CONFIG_DIR  "/etc/acmsensor"
#define DROP_IN_DIR "/etc/systemd/system/acmsensord.service.d"

static int find_way(enum vault_way *ret_way, struct err *err)
{
	static const char *const argv[] = {"systemctl", "--version", NULL};
	struct buf version;
	buf_init(&version, VERSION_MAX);
	int rc = tool_run(argv, NULL, 0, &version, err);
	if (rc == 0)
		rc = vault_way_of(buf_text(&version), ret_way, err);
	else if (err->kind == ERR_NOT_FOUND)
		rc = err_set(err, ERR_CONFIG,
			"there is no systemd on this host: acmsensor vault init --key-file FILE");
	buf_clear(&version);
	return rc;
}

/* systemd reads the drop-in when it is told to; where it does not run it will at its start. */
static int tell_systemd(struct err *err)
{
	static const char *const argv[] = {"systemctl", "daemon-reload", NULL};
	struct buf nothing;
	if (access("/run/systemd/system", F_OK) != 0)
		return 0;
	buf_init(&nothing, VERSION_MAX);
	int rc = tool_run(argv, NULL, 0, &nothing, err);
	buf_clear(&nothing);
	return rc;
}

static int plan_places(const struct cli *cli, const struct args *args, enum vault_way *ret_way,
	struct vault_places *ret_places, struct err *err)
{
	const char *file = args_get(args, "key-file");
	*ret_way = VAULT_FILE;
	*ret_places = (struct vault_places){
		.data_dir = cli->offline_dir != NULL ? cli->offline_dir : LOCAL_API_DATA_DIR,
		.key_file = file,
		.drop_in_dir = DROP_IN_DIR};
	if (file != NULL)
		return file[0] == '/'
			       ? 0
			       : err_set(err, ERR_CONFIG,
					 "--key-file %.200s: expected an absolute path", file);
	if (find_way(ret_way, err) != 0)
		return -1;
	if (geteuid() != 0)
		return err_set(err, ERR_CONFIG,
			"this takes root: it writes to " CONFIG_DIR " and " DROP_IN_DIR);
	ret_places->key_file =
		*ret_way == VAULT_SEALED ? CONFIG_DIR "/vault-key.sealed" : CONFIG_DIR "/vault-key";
	return 0;
}

int command_vault(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	struct vault_places places;
	enum vault_way way;
	bool is_taken_over;
	struct buf next;
	if (strcmp(args->positional[0], "init") != 0) {
		cli_note("vault: \"%.80s\" is not init", args->positional[0]);
		return EXIT_USAGE;
	}
	if (plan_places(cli, args, &way, &places, &err) != 0 ||
		vault_init(way, &places, &is_taken_over, &err) != 0)
		return cli_fail(&err);
	buf_init(&next, NEXT_MAX);
	vault_init_next(way, &places, is_taken_over, &next);
	fputs(buf_text(&next), stdout);
	buf_clear(&next);
	if (way == VAULT_FILE || tell_systemd(&err) == 0)
		return EXIT_DONE;
	cli_note("%s; before the restart: systemctl daemon-reload", err.text);
	return EXIT_WARNINGS;
}
