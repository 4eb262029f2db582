/*
 * Man pages are written by hand, but for what a table of the programs knows: each option of the
 * configuration, each command and option of the CLI. A template names them on lines of their own,
 *
 *     .\" @options sensor       the options of a section of the configuration: sensor, connector
 *     .\" @command certs        a command of acmsensor: its synopsis, summary and options
 *     .\" @global-options       the options of every command of acmsensor
 *
 * and what it leaves out is an error, so that a page can neither drift nor forget.
 */
#ifndef PACKAGING_MANUAL_H
#define PACKAGING_MANUAL_H

#include <stddef.h>

struct buf;
struct err;

/*
 * Appends the page, mdoc, to to.
 *
 * page    borrowed
 * errors  ERR_CONFIG "line N: ..." for a line that names what there is not, or twice; ERR_CONFIG
 *         for a command or section that a page about commands or sections does not name; ERR_LIMIT
 *         when it does not fit
 */
int manual_expand(const char *page, size_t len, struct buf *to, struct err *err);

#endif
