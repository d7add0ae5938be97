/* SPDX-License-Identifier: MIT */
/*
 * The vendor-specific extended capability by which a host arms the faults of a simulated
 * device's script (spmm-sim --fault). It is there only with a script. Fields are found in
 * configuration space at the capability's offset plus these.
 *
 * Faults are numbered from 1 in the order in which their names appear in the script; rules
 * of one name are one fault. Specification: Documentation/faults.rst.
 */
#ifndef UAPI_SPMM_ERROR_INJECTION_H
#define UAPI_SPMM_ERROR_INJECTION_H

#define SPMM_INJECTION_OFFSET 0x200 /* where the simulator puts it */
#define SPMM_INJECTION_BYTES 0x40

#define SPMM_INJECTION_HEADER 0x04 /* u32: ID | revision << 16 | bytes << 20 */
#define SPMM_INJECTION_ID 0x5349
#define SPMM_INJECTION_REVISION 1

#define SPMM_INJECTION_COUNT 0x08 /* u32, read only: faults of the script */
/*
 * u32; a write of its lowest byte counts. n: fault n is armed anew, and its count is 0;
 * 0: all are disarmed. Reads as what was written last. Takes writes also while the device
 * is gone.
 */
#define SPMM_INJECTION_ARM 0x0c
#define SPMM_INJECTION_SELECT 0x10 /* u32: the fault of the following */
#define SPMM_INJECTION_FIRED 0x14 /* u32, read only: since it was armed */
#define SPMM_INJECTION_ARMED 0x18 /* u32, read only: 1 while it can fire */
/*
 * 32 bytes, the last of them zero. A write of all of them selects the fault of that name,
 * or 0 if there is none; lower offsets first.
 */
#define SPMM_INJECTION_NAME 0x20
#define SPMM_INJECTION_NAME_BYTES 32

#endif
