/* acmsensord: options and exit codes (0 done, 1 failed, 2 usage or configuration, 4 incomplete). */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/std_files.h"
#include "sensor/check_store.h"
#include "sensor/config.h"
#include "sensor/once.h"
#include "sensor/sensor.h"

enum { CODE_DONE = 0, CODE_FAILED = 1, CODE_USAGE = 2 };

enum { EXAMPLE_MAX = 262144 };

enum mode {
	MODE_DAEMON,
	MODE_CHECK,
	MODE_CHECK_STORE,
	MODE_ONCE,
	MODE_EXAMPLE,
	MODE_VERSION,
	MODE_HELP,
	MODE_WRONG
};

static const char help[] =
	"Usage: acmsensord [-c FILE] [--check | --once | --check-store]\n"
	"\n"
	"Inventories the ACM certificates of an AWS organization into a store on this host.\n"
	"\n"
	"  -c, --config FILE  configuration (default: " CONFIG_FILE ")\n"
	"      --check        tell what is wrong with the configuration, and exit\n"
	"      --once         one cycle of every connector in the foreground, and exit\n"
	"      --check-store  verify every record, index and event of the store and repair its\n"
	"                     indexes, while the daemon is stopped\n"
	"      --example      print every option with its default and meaning\n"
	"      --version      print the version\n"
	"      --help         print this\n"
	"\n"
	"Exit codes: 0 done; 1 failed; 2 usage or configuration; 4 with --once: some\n"
	"account-regions were not read (each is named); 4 with --check-store: what was wrong\n"
	"is repaired (1: some of it is left).\n"
	"Signals: HUP reloads the configuration, TERM and INT stop.\n";

static enum mode read_options(int argc, char **argv, const char **ret_file)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, MODE_CHECK},
		{"check-store", no_argument, NULL, MODE_CHECK_STORE},
		{"once", no_argument, NULL, MODE_ONCE},
		{"example", no_argument, NULL, MODE_EXAMPLE},
		{"version", no_argument, NULL, MODE_VERSION},
		{"help", no_argument, NULL, MODE_HELP},
		{NULL, 0, NULL, 0},
	};
	enum mode mode = MODE_DAEMON;
	int option;
	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == '?')
			return MODE_WRONG; /* getopt has told */
		if (option == 'c') {
			*ret_file = optarg;
		} else if (mode != MODE_DAEMON && mode != (enum mode)option) {
			fprintf(stderr,
				"%s: only one of --check, --check-store, --once, --example, "
				"--version and --help\n",
				argv[0]);
			return MODE_WRONG;
		} else {
			mode = (enum mode)option;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
		return MODE_WRONG;
	}
	return mode;
}

static void print_problem(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

static int check(const char *file)
{
	struct config *config = config_check(file, print_problem, NULL);
	if (config == NULL)
		return CODE_USAGE;
	printf("%s: correct, %zu %s\n", file, config->connector_count,
		config->connector_count == 1 ? "connector" : "connectors");
	config_free(config);
	return CODE_DONE;
}

static int check_store(const char *file)
{
	struct err err = ERR_INIT;
	struct config *config = config_load(file, &err);
	if (config == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return CODE_USAGE;
	}
	int code = check_store_run(config->data_dir);
	config_free(config);
	return code;
}

static int print_example(void)
{
	struct buf text;
	buf_init(&text, EXAMPLE_MAX);
	config_example(&text);
	fputs(buf_text(&text), stdout);
	buf_clear(&text);
	return CODE_DONE;
}

static int run_daemon(struct config *config)
{
	struct err err = ERR_INIT;
	struct sensor *sensor = sensor_new(&(struct sensor_options){.config = config}, &err);
	if (sensor == NULL) {
		log_error("start sensor error=%s reason=%s", err_kind_name(err.kind), err.text);
		return err.kind == ERR_CONFIG ? CODE_USAGE : CODE_FAILED;
	}
	sensor_run(sensor);
	sensor_free(sensor);
	return CODE_DONE;
}

static int run(const char *file, bool is_once)
{
	struct err err = ERR_INIT;
	struct config *config = config_load(file, &err);
	if (config == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return CODE_USAGE;
	}
	log_set_level(config->log_level);
	return is_once ? once_run(config) : run_daemon(config);
}

/*
 * The usual soft limit of 1,024 descriptors is below what max_requests and the idle connections may
 * take; the hard one is what the administrator means. Where it cannot be raised, opening more fails
 * with an error that names it.
 */
static void raise_descriptor_limit(void)
{
	enum { DESCRIPTORS_WANTED = 16384 };
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* see above */
}

int main(int argc, char **argv)
{
	const char *file = CONFIG_FILE;
	std_files_open();
	secret_process_init();
	raise_descriptor_limit();
	switch (read_options(argc, argv, &file)) {
	case MODE_DAEMON:
		return run(file, false);
	case MODE_ONCE:
		return run(file, true);
	case MODE_CHECK:
		return check(file);
	case MODE_CHECK_STORE:
		return check_store(file);
	case MODE_EXAMPLE:
		return print_example();
	case MODE_VERSION:
		puts("acmsensord " ACMSENSOR_VERSION);
		return CODE_DONE;
	case MODE_HELP:
		fputs(help, stdout);
		return CODE_DONE;
	case MODE_WRONG:
		break;
	}
	return CODE_USAGE;
}
