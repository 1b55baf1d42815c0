/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78, RFC 3720 section 12.1). Pure; any thread.
 * Pieces chain: crc32c(crc32c(0, a, n), b, m) is the checksum of a followed by b. */
#ifndef KASHI_BASE_CRC32C_H
#define KASHI_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t seed, const void *bytes, size_t size);
/* The same without the processor's instruction: used where there is none, and to test it. */
uint32_t crc32c_portable(uint32_t seed, const void *bytes, size_t size);

#endif
