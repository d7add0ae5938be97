# SPDX-License-Identifier: MIT
# The front door; Meson does the work, in build/.
BUILD = build
PREFIX = /usr/local
DESTDIR =

all: configure
	ninja -C $(BUILD)

configure:
	@tools/dependencies.sh --check build
	@test -f $(BUILD)/build.ninja || meson setup --prefix=$(PREFIX) $(BUILD)

install: all
	DESTDIR=$(DESTDIR) meson install --no-rebuild -C $(BUILD)

clean:
	rm -rf $(BUILD)

.PHONY: all configure install clean
