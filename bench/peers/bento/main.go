// SPDX-License-Identifier: Apache-2.0

// Bento as its documentation has one build it for oneself: the whole program, with the connectors that this work needs
// instead of all 60.
package main

import (
	"context"

	_ "github.com/lib/pq"
	_ "github.com/warpstreamlabs/bento/public/components/aws"
	_ "github.com/warpstreamlabs/bento/public/components/io"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	_ "github.com/warpstreamlabs/bento/public/components/sql/base"
	"github.com/warpstreamlabs/bento/public/service"
)

func main() {
	service.RunCLI(context.Background())
}
