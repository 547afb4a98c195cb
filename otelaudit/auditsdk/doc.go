// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditsdk is the delivery pipeline of otelaudit: what the stock batch processor is not.
//
//	pipeline, err := auditsdk.Start(ctx) // endpoint by OTEL_EXPORTER_OTLP_ENDPOINT
//	if err != nil { … }
//	defer pipeline.Close()
//
// # What it promises
//
// A record that was emitted is delivered at least once, or counted and told of: the queue never
// overwrites; a receiver that is down, resets connections, or answers 408, 429 or 5xx is tried again for as long as
// the pipeline lives, as is one that refuses the credentials or the path; a record that poisons its batch is found and
// rejected alone. A full queue makes an emit wait, then answers it by [otelaudit.Receipt], so that
// otelaudit.WithFailClosed works. Lost records are told of by an otelaudit.pipeline event once there is
// room again. [Stats] keeps the books.
//
//	the receiver                  what becomes of the records
//	is down, resets, hangs        kept, tried again with growing waits up to 5 s
//	408, 429, 5xx                 kept, tried again; Retry-After is honoured up to 5 min
//	401, 403, 404, redirects      kept, tried again until somebody mends it
//	400, 413, 422                 the batch is halved until the record is found; that one is rejected
//	partial success               the rejected are counted, the others acknowledged
//	takes it but cannot tell      sent again: twice, with the same log.record.uid
//	Close                         tried for OTELAUDIT_CLOSE_TIMEOUT, then lost and told by the error
//
// # How to size it
//
// A record takes about 1.5 KB in memory. To ride out an outage of t seconds at r events/s the queue needs t·r records
// (OTEL_BLRP_MAX_QUEUE_SIZE, 65,536 by default) and 1.5 KB for each (OTELAUDIT_QUEUE_BYTES, 64 MiB by
// default): at 100 events/s the defaults last seven minutes. When it is full, one emit waits for
// OTELAUDIT_BLOCK_TIMEOUT and those after it fail at once.
//
// # What it does not promise
//
// The queue is in memory: what waits there is gone when the process is killed. Delivery is not
// exactly once: log.record.uid tells duplicates. After a partial success nobody knows which
// records were rejected, only how many.
package auditsdk

// ScopeName is the instrumentation scope of the pipeline's own metrics.
const ScopeName = "github.com/otelaudit/go/otelaudit/auditsdk"
