# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Arms the faults of spmm-sim --fault SCRIPT from inside the machine, by name, through the
# device's configuration space: no driver takes part. To be sourced, as root; needs dd,
# hexdump and printf. The layout is uapi/spmm/error_injection.h.
#
#	fault_arm NAME		arms it anew; its count is 0
#	fault_disarm		disarms all
#	fault_fired NAME	prints how often it has fired since it was armed
#	fault_list		prints all names
#
# FAULT_CONFIG is the configuration space: the first device's, if nobody has set it.

# The capability's offset, and its fields.
fault_at=$((0x200))
fault_header_at=$((fault_at + 0x04))
fault_count_at=$((fault_at + 0x08))
fault_arm_at=$((fault_at + 0x0c))
fault_select_at=$((fault_at + 0x10))
fault_fired_at=$((fault_at + 0x14))
fault_name_at=$((fault_at + 0x20))

fault_config()
{
	for fault_device in /sys/bus/pci/devices/*; do
		if [ "$(cat "$fault_device/vendor" "$fault_device/device" 2>/dev/null)" = \
			"0x1de5
0x5b01" ]; then
			echo "$fault_device/config"
			return 0
		fi
	done
	echo "fault: no device 1de5:5b01" >&2
	return 1
}
: "${FAULT_CONFIG:=$(fault_config)}"

# fault_read OFFSET: the 32 bits there, decimal.
fault_read()
{
	dd if="$FAULT_CONFIG" bs=4 skip=$(($1 / 4)) count=1 2>/dev/null |
		hexdump -v -e '1/4 "%u"'
}

# fault_write OFFSET VALUE: 32 bits, of which the upper 24 are zero.
fault_write()
{
	# The format is the byte itself.
	# shellcheck disable=SC2059
	printf "\\$(printf '%03o' "$2")\\000\\000\\000" |
		dd of="$FAULT_CONFIG" bs=4 seek=$(($1 / 4)) count=1 conv=notrunc 2>/dev/null
}

# How many there are; an error without the capability.
fault_total()
{
	if [ "$(fault_read "$fault_header_at")" != $((0x04015349)) ]; then
		echo "fault: the device has no fault script, or is gone" >&2
		return 1
	fi
	fault_read "$fault_count_at"
}

fault_list()
{
	fault_last=$(fault_total) || return 1
	fault_number=1
	while [ "$fault_number" -le "$fault_last" ]; do
		fault_write "$fault_select_at" "$fault_number" || return 1
		dd if="$FAULT_CONFIG" bs=32 skip=$((fault_name_at / 32)) count=1 2>/dev/null |
			tr '\000' '\n' | head -n 1
		fault_number=$((fault_number + 1))
	done
}

# fault_find NAME: selects it and prints its number.
fault_find()
{
	printf '%s' "$1" | dd of="$FAULT_CONFIG" bs=32 seek=$((fault_name_at / 32)) count=1 \
		conv=sync,notrunc 2>/dev/null || return 1
	fault_found=$(fault_read "$fault_select_at")
	case $fault_found in
	0 | 4294967295 | "")
		fault_total >/dev/null || return 1
		echo "fault: the script has no '$1'" >&2
		return 1
		;;
	esac
	echo "$fault_found"
}

fault_arm()
{
	fault_found=$(fault_find "$1") || return 1
	fault_write "$fault_arm_at" "$fault_found"
}

fault_disarm()
{
	fault_write "$fault_arm_at" 0
}

fault_fired()
{
	fault_find "$1" >/dev/null || return 1
	fault_read "$fault_fired_at"
}
