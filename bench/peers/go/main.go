// SPDX-License-Identifier: Apache-2.0

// What an expert writes in an afternoon: receivers, a loader and deleters side by side, a window of 10,000 messages a
// transaction, messages deleted after its commit, a delete that failed tried again. With -key a message that came
// before is dropped: COPY into a temporary table, from there ON CONFLICT into the one that is keyed by message id.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"hash"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5"

	nethttp "net/http"
)

const (
	receivers   = 32
	deleters    = 32
	batch       = 10
	window      = 10_000
	visibilityS = 120
)

var columns = []string{"message_id", "user_id", "masked_ip", "masked_device_id"}

type row struct {
	id                 [16]byte
	user, ip, deviceID string
	receipt            *string
}

type masker struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newMasker(name string) *masker {
	key, err := hex.DecodeString(os.Getenv(name))
	if err != nil || len(key) == 0 {
		log.Fatalf("%s: no key in hex", name)
	}
	return &masker{mac: hmac.New(sha256.New, key)}
}

func (m *masker) mask(value string) string {
	m.mac.Reset()
	m.mac.Write([]byte(value))
	return hex.EncodeToString(m.mac.Sum(m.sum[:0]))
}

type drain struct {
	queue  *sqs.Client
	url    string
	waitS  int32
	keyed  bool
	rows   chan row
	loaded chan []row // of one delete call
}

// receive ends when a long poll came back empty. What cannot be read stays in the queue.
func (d *drain) receive(ctx context.Context) error {
	ip, deviceID := newMasker("MASK_KEY_IP"), newMasker("MASK_KEY_DEVICE_ID")
	input := &sqs.ReceiveMessageInput{
		QueueUrl: &d.url, MaxNumberOfMessages: batch, WaitTimeSeconds: d.waitS, VisibilityTimeout: visibilityS,
	}
	for {
		answer, err := d.queue.ReceiveMessage(ctx, input)
		if err != nil {
			return err
		}
		if len(answer.Messages) == 0 {
			return nil
		}
		for i := range answer.Messages {
			made, err := rowOf(&answer.Messages[i], ip, deviceID)
			if err != nil {
				log.Printf("left in the queue: %v", err)
				continue
			}
			d.rows <- made
		}
	}
}

func rowOf(message *types.Message, ip, deviceID *masker) (row, error) {
	var body struct {
		UserID   *string `json:"user_id"`
		IP       *string `json:"ip"`
		DeviceID *string `json:"device_id"`
	}
	if err := json.Unmarshal([]byte(*message.Body), &body); err != nil {
		return row{}, err
	}
	if body.UserID == nil || body.IP == nil || body.DeviceID == nil {
		return row{}, fmt.Errorf("message %s lacks a field", *message.MessageId)
	}
	made := row{user: *body.UserID, ip: ip.mask(*body.IP), deviceID: deviceID.mask(*body.DeviceID)}
	made.receipt = message.ReceiptHandle
	_, err := hex.Decode(made.id[:], []byte(strings.ReplaceAll(*message.MessageId, "-", "")))
	return made, err
}

func (d *drain) load(ctx context.Context, database *pgx.Conn) error {
	defer close(d.loaded)
	held := make([]row, 0, window)
	for open := true; open; {
		var next row
		if next, open = <-d.rows; open {
			held = append(held, next)
		}
		if len(held) == 0 || (open && len(held) < window) {
			continue
		}
		if err := d.loadWindow(ctx, database, held); err != nil {
			return err
		}
		for at := 0; at < len(held); at += batch {
			d.loaded <- held[at:min(at+batch, len(held))]
		}
		held = make([]row, 0, window) // the deleters have the other
	}
	return nil
}

func (d *drain) loadWindow(ctx context.Context, database *pgx.Conn, rows []row) error {
	source := pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := &rows[i]
		return []any{r.id, r.user, r.ip, r.deviceID}, nil
	})
	return pgx.BeginFunc(ctx, database, func(transaction pgx.Tx) error {
		target := pgx.Identifier{"logins"}
		if d.keyed {
			target = pgx.Identifier{"received"}
		}
		if _, err := transaction.CopyFrom(ctx, target, columns, source); err != nil || !d.keyed {
			return err
		}
		_, err := transaction.Exec(ctx, "INSERT INTO logins SELECT * FROM received ON CONFLICT (message_id) DO NOTHING")
		return err
	})
}

func (d *drain) remove(ctx context.Context) error {
	for rows := range d.loaded {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(rows))
		for i := range rows {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: rows[i].receipt}
		}
		for len(entries) > 0 {
			answer, err := d.queue.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &d.url, Entries: entries})
			if err != nil {
				return err
			}
			again := make([]types.DeleteMessageBatchRequestEntry, 0, len(answer.Failed))
			for _, failed := range answer.Failed {
				if !failed.SenderFault {
					number, _ := strconv.Atoi(*failed.Id)
					again = append(again, types.DeleteMessageBatchRequestEntry{Id: failed.Id, ReceiptHandle: rows[number].receipt})
				}
			}
			entries = again
		}
	}
	return nil
}

// run starts so many of a kind and waits for all; the first error ends the program, and what was not deleted comes back.
func run(count int, work func() error) {
	var all sync.WaitGroup
	for range count {
		all.Go(func() {
			if err := work(); err != nil {
				log.Fatal(err)
			}
		})
	}
	all.Wait()
}

func connect(ctx context.Context, keyed bool) (*pgx.Conn, error) {
	database, err := pgx.Connect(ctx, "")
	if err != nil || !keyed {
		return database, err
	}
	_, err = database.Exec(ctx, "CREATE TEMPORARY TABLE received (LIKE logins) ON COMMIT DELETE ROWS")
	return database, err
}

func newQueue(ctx context.Context) (*sqs.Client, error) {
	client := http.NewBuildableClient().WithTransportOptions(func(transport *nethttp.Transport) {
		transport.MaxIdleConnsPerHost = receivers + deleters
	})
	settings, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client))
	return sqs.NewFromConfig(settings), err
}

func main() {
	keyed := flag.Bool("key", false, "drop what came before")
	flag.Parse()
	debug.SetGCPercent(400)
	ctx := context.Background()
	database, err := connect(ctx, *keyed)
	if err != nil {
		log.Fatal(err)
	}
	queue, err := newQueue(ctx)
	if err != nil {
		log.Fatal(err)
	}
	waitS, err := strconv.Atoi(os.Getenv("WAIT_SECONDS"))
	if err != nil {
		log.Fatal(err)
	}
	d := &drain{
		queue: queue, url: os.Getenv("QUEUE_URL"), waitS: int32(waitS), keyed: *keyed,
		rows: make(chan row, window), loaded: make(chan []row, window/batch),
	}
	var behind sync.WaitGroup
	behind.Go(func() { run(1, func() error { return d.load(ctx, database) }) })
	behind.Go(func() { run(deleters, func() error { return d.remove(ctx) }) })
	run(receivers, func() error { return d.receive(ctx) })
	close(d.rows)
	behind.Wait()
}
