/* All of the public API. */
#ifndef SIGMAPI_SIGMAPI_H
#define SIGMAPI_SIGMAPI_H

#include "sigmapi/render.h"
#include "sigmapi/report.h"
#include "sigmapi/run.h"
#include "sigmapi/session.h"
#include "sigmapi/status.h"

#endif
