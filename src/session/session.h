/* The session for the rest of the program: the public header plus the plans and the run inside. */
#ifndef SP_SESSION_SESSION_H
#define SP_SESSION_SESSION_H

#include "plan/resolve/resolve.h"
#include "report/build.h"
#include "sigmapi/session.h"

/* NULL before their step. */
const sp_plan *sp_session_written(const sp_session *s);
const sp_plan *sp_session_resolved(const sp_session *s);
const sp_plan *sp_session_optimized(const sp_session *s);
const sp_trace *sp_session_trace(const sp_session *s);
const sp_run *sp_session_last_run(const sp_session *s);

#endif
