/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <string.h>

#include "bpf.h"

typedef struct Machine {
    uint32_t a, x;
    uint32_t memory[BPF_MEMWORDS];
} Machine;

static uint32_t load(const struct seccomp_data *call, uint32_t offset)
{
    uint32_t word;

    ck_assert_uint_eq(offset % 4, 0);
    ck_assert_uint_le(offset + 4, sizeof *call);
    memcpy(&word, (const char *)call + offset, sizeof word);
    return word;
}

static bool holds(const Machine *machine, const struct sock_filter *instruction)
{
    uint32_t operand = BPF_SRC(instruction->code) == BPF_X ? machine->x : instruction->k;

    switch (BPF_OP(instruction->code)) {
    case BPF_JEQ:
        return machine->a == operand;
    case BPF_JGT:
        return machine->a > operand;
    case BPF_JGE:
        return machine->a >= operand;
    case BPF_JSET:
        return (machine->a & operand) != 0;
    default:
        ck_abort_msg("a jump of code %#x", instruction->code);
        return false;
    }
}

static void calculate(Machine *machine, const struct sock_filter *instruction)
{
    ck_assert_msg(BPF_OP(instruction->code) == BPF_AND && BPF_SRC(instruction->code) == BPF_K,
                  "an operation of code %#x", instruction->code);
    machine->a &= instruction->k;
}

uint32_t bpf_run(GBytes *bytes, const struct seccomp_data *call)
{
    gsize size;
    const struct sock_filter *program = g_bytes_get_data(bytes, &size);
    size_t count = size / sizeof *program;
    Machine machine = { 0 };

    for (size_t i = 0; i < count; i++) {
        const struct sock_filter *instruction = &program[i];

        switch (BPF_CLASS(instruction->code)) {
        case BPF_LD:
            machine.a = BPF_MODE(instruction->code) == BPF_MEM ? machine.memory[instruction->k]
                                                               : load(call, instruction->k);
            break;
        case BPF_ST:
            machine.memory[instruction->k] = machine.a;
            break;
        case BPF_ALU:
            calculate(&machine, instruction);
            break;
        case BPF_JMP:
            i += BPF_OP(instruction->code) == BPF_JA ? instruction->k
                 : holds(&machine, instruction)      ? instruction->jt
                                                     : instruction->jf;
            break;
        case BPF_RET:
            return instruction->k;
        default:
            ck_abort_msg("an instruction of code %#x", instruction->code);
        }
    }
    ck_abort_msg("the program runs off its end");
    return 0;
}
