/* Which machine this is, as far as it can be told: systemd's machine id, which a clone gets anew.
 */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stdbool.h>

#define MACHINE_ID_FILE "/etc/machine-id"
enum { MACHINE_LEN = 32 };

/*
 * A hash of the id, which itself is not to be shown to others (source: machine-id(5)). false: the
 * file has none, as in most containers.
 */
bool machine_read(const char *file, unsigned char ret_machine[MACHINE_LEN]);

#endif
