# Kashi. `make` builds, `make run` runs the market, `make demo` shows a day, `make test` tests.
# Variants: V=release (default), asan (ASan+UBSan, debug), clang (release with clang).

V ?= release
CC_release = gcc
CC_asan    = gcc
CC_clang   = clang
CC := $(CC_$(V))

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla -Wundef \
	-Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wswitch-enum -Werror
ARCH := $(if $(NATIVE),-march=native,$(if $(filter x86_64,$(shell uname -m)),-march=x86-64-v2))
OPT_release = -O3 -g
OPT_asan    = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DKASHI_DEBUG
OPT_clang   = -O3 -g
CFLAGS = -std=c11 -D_GNU_SOURCE -I. $(WARNINGS) $(ARCH) $(OPT_$(V)) -fno-strict-aliasing -MMD -MP
LDFLAGS = $(filter -fsanitize=%,$(OPT_$(V)))

B = build/$(V)

# --- sources, one block a folder -----------------------------------------------------------------
BASE =
WIRE = wire/contract.c wire/reject.c
CORE =
EXCHANGE =
REPLICA =
GATEWAY =
SETTLEMENT =
PRICING =
CLIENT =
TESTKIT =

# Each program: its own sources and libraries.
PROGRAMS =
TESTS =
BENCHES =

obj = $(patsubst %.c,$(B)/%.o,$(1))

.PHONY: all clean
all: $(addprefix $(B)/bin/,$(PROGRAMS))

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

clean:
	rm -rf build bin

-include $(shell find build -name '*.d' 2>/dev/null)
