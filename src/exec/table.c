/* The lowerings of operators.def as data. */
#include "exec/operator.h"

#define SP_OPERATOR(name) extern const sp_lowering sp_lowering_##name;
#include "exec/operators.def"
#undef SP_OPERATOR

const sp_lowering *const sp_lowering_table[] = {
#define SP_OPERATOR(name) &sp_lowering_##name,
#include "exec/operators.def"
#undef SP_OPERATOR
    NULL};
