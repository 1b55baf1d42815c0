#include "base/crc32c.h"

#include <string.h>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

/* Four bits a step: a table of 16 is small enough to be written down and checked by eye. */
static const uint32_t nibble_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_portable(uint32_t seed, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint32_t crc = ~seed;
    for (size_t i = 0; i < size; i++) {
        crc ^= byte[i];
        crc = crc >> 4 ^ nibble_table[crc & 15];
        crc = crc >> 4 ^ nibble_table[crc & 15];
    }
    return ~crc;
}

#if defined(__SSE4_2__)
#define CRC_64(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define CRC_8(crc, byte)  _mm_crc32_u8((crc), (byte))
#elif defined(__ARM_FEATURE_CRC32)
#define CRC_64(crc, word) __crc32cd((crc), (word))
#define CRC_8(crc, byte)  __crc32cb((crc), (byte))
#endif

#if defined(CRC_64)
uint32_t crc32c(uint32_t seed, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint32_t crc = ~seed;
    for (; size >= 8; size -= 8, byte += 8) {
        uint64_t word;
        memcpy(&word, byte, 8);
        crc = CRC_64(crc, word);
    }
    for (; size > 0; size--, byte++) {
        crc = CRC_8(crc, *byte);
    }
    return ~crc;
}
#else
uint32_t crc32c(uint32_t seed, const void *bytes, size_t size)
{
    return crc32c_portable(seed, bytes, size);
}
#endif
