// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelaudit/go/otelaudit/auditsdk"
)

// pipeline is one that is compared.
type pipeline struct {
	name string
	open func(ctx context.Context, url string) (*opened, error)
}

type opened struct {
	provider log.LoggerProvider
	close    func() error
	// books are those of auditsdk, zero of others.
	books func() auditsdk.Stats
	own   int // events of the pipeline itself
}

// closing is how long each has to deliver what is left.
const closing = 30 * time.Second

var pipelines = []pipeline{
	{"stock", openStock},
	{"auditsdk", openMemory},
}

func openStock(ctx context.Context, url string) (*opened, error) {
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(url+"/v1/logs"), otlploghttp.WithCompression(otlploghttp.GzipCompression))
	if err != nil {
		return nil, err
	}
	p := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	return &opened{
		provider: p,
		close: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), closing)
			defer cancel()
			return p.Shutdown(ctx)
		},
		books: func() auditsdk.Stats { return auditsdk.Stats{} },
	}, nil
}

func openMemory(ctx context.Context, url string) (*opened, error) {
	transport := &http.Transport{}
	p, err := auditsdk.Start(ctx, auditsdk.WithEndpoint(url), auditsdk.WithoutGlobal(), auditsdk.WithTransport(transport),
		auditsdk.WithQueue(1<<18, 512<<20), auditsdk.WithCloseTimeout(closing), auditsdk.WithHeartbeat(0), auditsdk.WithErrorHandler(func(error) {}))
	if err != nil {
		return nil, err
	}
	return &opened{
		provider: p.LoggerProvider(),
		close:    func() error { defer transport.CloseIdleConnections(); return p.Close() },
		books:    p.Stats,
		own:      2,
	}, nil
}
