/* The command line (see options.h). */
#include "cli/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { WORD_MAX = 32, SUGGEST_DISTANCE_MAX = 2 };

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap neighbours) from one word to the other; words that are too
 * long are as far as can be. */
static size_t distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t row[WORD_MAX + 1][WORD_MAX + 1];
	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= a_len; i++) {
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				row[i][j] = i + j;
				continue;
			}
			row[i][j] = smallest(row[i - 1][j] + 1, row[i][j - 1] + 1,
				row[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0));
			bool is_swap =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (is_swap && row[i - 2][j - 2] + 1 < row[i][j])
				row[i][j] = row[i - 2][j - 2] + 1;
		}
	}
	return row[a_len][b_len];
}

/* Keeps the closer of two candidates. */
static void suggest(
	const char *word, const char *candidate, const char **best, size_t *best_distance)
{
	size_t candidate_distance = distance(word, candidate);
	if (candidate_distance < *best_distance) {
		*best = candidate;
		*best_distance = candidate_distance;
	}
}

/* dashes: "--" for an option, "" for a command. */
static int unknown(
	const char *what, const char *dashes, const char *word, const char *best, struct err *err)
{
	if (best != NULL)
		return err_set(err, ERR_CONFIG, "unknown %s \"%s%.80s\"; did you mean \"%s%s\"?",
			what, dashes, word, dashes, best);
	return err_set(err, ERR_CONFIG, "unknown %s \"%s%.80s\"; `acmsensor help` lists them", what,
		dashes, word);
}

static int find_option(const struct option_spec *option, const char *name, size_t len)
{
	for (int i = 0; option[i].name != NULL; i++)
		if (strlen(option[i].name) == len && strncmp(option[i].name, name, len) == 0)
			return i;
	return -1;
}

struct parser {
	const struct command *commands, *command;
	int argc, at;
	char **argv;
	struct args *global, *args;
};

static int unknown_option(const struct parser *parser, const char *word, struct err *err)
{
	const char *best = NULL;
	size_t best_distance = SUGGEST_DISTANCE_MAX + 1;
	for (const struct option_spec *option = global_options; option->name != NULL; option++)
		suggest(word, option->name, &best, &best_distance);
	if (parser->command == NULL)
		return unknown("option", "--", word, best, err);
	for (const struct option_spec *option = parser->command->option; option->name != NULL;
		option++)
		suggest(word, option->name, &best, &best_distance);
	if (best != NULL)
		return unknown("option", "--", word, best, err);
	return err_set(err, ERR_CONFIG,
		"`acmsensor %s` has no option \"--%.80s\"; `acmsensor help %s` lists them",
		parser->command->name, word, parser->command->name);
}

bool option_may_repeat(const struct option_spec *option)
{
	size_t len = option->argument != NULL ? strlen(option->argument) : 0;
	return len > 3 && strcmp(option->argument + len - 3, "...") == 0;
}

static int take_value(
	struct parser *parser, struct args *args, int index, const char *attached, struct err *err)
{
	const struct option_spec *option = &args->option[index];
	bool is_first = args->value[index] == NULL;
	if (!is_first && (!option_may_repeat(option) || args->repeat_count == REPEATS_MAX))
		return err_set(err, ERR_CONFIG, "--%s is given %s", option->name,
			option_may_repeat(option) ? "too often" : "twice");
	if (option->argument == NULL) {
		if (attached != NULL)
			return err_set(err, ERR_CONFIG, "--%s takes no value", option->name);
		args->value[index] = "";
		return 0;
	}
	if (attached == NULL && parser->at < parser->argc)
		attached = parser->argv[parser->at++];
	if (attached == NULL)
		return err_set(
			err, ERR_CONFIG, "--%s needs a value: %s", option->name, option->argument);
	if (is_first) {
		args->value[index] = attached;
		return 0;
	}
	args->repeat[args->repeat_count].option = index;
	args->repeat[args->repeat_count++].value = attached;
	return 0;
}

/* word: what stands behind the dashes. A command's options are known once its name was read; those
 * before it must be global. */
static int take_option(struct parser *parser, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const char *attached = equals != NULL ? equals + 1 : NULL;
	int index = find_option(global_options, word, len);
	if (index >= 0)
		return take_value(parser, parser->global, index, attached, err);
	if (parser->command != NULL) {
		index = find_option(parser->command->option, word, len);
		if (index >= 0)
			return take_value(parser, parser->args, index, attached, err);
	}
	char name[WORD_MAX + 1];
	snprintf(name, sizeof(name), "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX), word);
	return unknown_option(parser, name, err);
}

static int take_command(struct parser *parser, const char *word, struct err *err)
{
	const char *best = NULL;
	size_t best_distance = SUGGEST_DISTANCE_MAX + 1;
	for (const struct command *command = parser->commands; command->name != NULL; command++) {
		if (strcmp(command->name, word) == 0) {
			parser->command = command;
			parser->args->option = command->option;
			return 0;
		}
		suggest(word, command->name, &best, &best_distance);
	}
	return unknown("command", "", word, best, err);
}

static int take_positional(struct parser *parser, const char *word, struct err *err)
{
	if (parser->command == NULL)
		return take_command(parser, word, err);
	if (parser->args->positional_count >= parser->command->positional_max)
		return err_set(err, ERR_CONFIG,
			"`acmsensor %s` does not take \"%.80s%s\"; `acmsensor help %s` shows what it takes",
			parser->command->name, word, strlen(word) > 80 ? "..." : "",
			parser->command->name);
	parser->args->positional[parser->args->positional_count++] = word;
	return 0;
}

static int take_word(struct parser *parser, bool *only_positionals, struct err *err)
{
	const char *word = parser->argv[parser->at++];
	if (*only_positionals || word[0] != '-' || word[1] == '\0')
		return take_positional(parser, word, err);
	if (strcmp(word, "--") == 0) {
		*only_positionals = true;
		return 0;
	}
	if (strncmp(word, "--", 2) == 0)
		return take_option(parser, word + 2, err);
	if (strcmp(word, "-h") == 0)
		return take_option(parser, "help", err);
	if (strcmp(word, "-o") == 0)
		return take_option(parser, "output", err);
	if (strncmp(word, "-o", 2) == 0)
		return take_value(parser, parser->global,
			find_option(global_options, "output", strlen("output")), word + 2, err);
	return err_set(err, ERR_CONFIG, "unknown option \"%.80s\"; options begin with --", word);
}

int options_parse(const struct command *commands, int argc, char **argv,
	const struct command **ret_command, struct args *ret_global, struct args *ret_args,
	struct err *err)
{
	struct args global = {.option = global_options}, args = {.option = NULL};
	struct parser parser = {
		.commands = commands, .argc = argc, .argv = argv, .global = &global, .args = &args};
	bool only_positionals = false;
	while (parser.at < argc)
		if (take_word(&parser, &only_positionals, err) != 0)
			return -1;
	const struct command *command = parser.command;
	if (command != NULL && args.positional_count < command->positional_min &&
		!args_has(&global, "help"))
		return err_set(err, ERR_CONFIG, "`acmsensor %s` needs %s", command->name,
			command->arguments);
	*ret_command = command;
	*ret_global = global;
	*ret_args = args;
	return 0;
}

const char *args_get(const struct args *args, const char *name)
{
	int index = find_option(args->option, name, strlen(name));
	assert(index >= 0);
	return args->value[index];
}

const char *args_next(const struct args *args, const char *name, int *at)
{
	int index = find_option(args->option, name, strlen(name));
	assert(index >= 0);
	if (*at == 0) {
		*at = 1;
		return args->value[index];
	}
	for (; *at <= args->repeat_count; ++*at)
		if (args->repeat[*at - 1].option == index)
			return args->repeat[(*at)++ - 1].value;
	return NULL;
}

bool args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}
