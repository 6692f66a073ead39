// SPDX-License-Identifier: Apache-2.0
#include "job/warehouse/table_check.h"

#include <gtest/gtest.h>

#include "tests/support/loading.h"

namespace sluice {
namespace {

const Interrupt kNever;

class TableCheck : public testing::Test {
 protected:
  Finding only() {
    Connection connection(db_.loader_conninfo(), kNever);
    const std::vector<Finding> findings = check_table(connection, table_);
    EXPECT_EQ(findings.size(), 1U);
    return findings.at(0);
  }
  void expect_fits() {
    const Finding finding = only();
    EXPECT_TRUE(finding.ok) << finding.text;
  }
  void expect(Fault fault, const std::string& word) {
    const Finding finding = only();
    EXPECT_FALSE(finding.ok);
    EXPECT_EQ(finding.fault, fault);
    EXPECT_EQ(finding.thing, "table public.numbers");
    EXPECT_NE(finding.text.find(word), std::string::npos) << finding.text;
    EXPECT_FALSE(finding.hint.empty());
  }

  LoadingDatabase db_;
  Table table_ = db_.pipeline.tables[0];
};

TEST_F(TableCheck, a_table_that_fits_is_ok) { expect_fits(); }

TEST_F(TableCheck, a_missing_table) {
  db_.run("DROP TABLE public.numbers");
  expect(Fault::configuration, "missing");
}

TEST_F(TableCheck, a_view_is_no_table) {
  db_.run(
      "ALTER TABLE public.numbers RENAME TO n; CREATE VIEW public.numbers AS SELECT * FROM "
      "public.n");
  expect(Fault::configuration, "no ordinary table");
}

TEST_F(TableCheck, a_missing_column) {
  db_.run("ALTER TABLE public.numbers RENAME name TO nom");
  expect(Fault::configuration, "column name is missing");
}

TEST_F(TableCheck, a_column_of_another_type) {
  db_.run("ALTER TABLE public.numbers ALTER n TYPE bigint");
  expect(Fault::configuration, "column n is bigint, not integer");
}

TEST_F(TableCheck, a_narrower_text_is_refused_and_a_wider_one_taken) {
  db_.run("ALTER TABLE public.numbers ALTER name TYPE varchar(9)");
  expect(Fault::configuration, "character varying(9)");
  for (const char* type : {"varchar(11)", "varchar", "text"}) {
    db_.run(std::string("ALTER TABLE public.numbers ALTER name TYPE ") + type);
    expect_fits();
  }
  db_.run("ALTER TABLE public.numbers ALTER name TYPE char(20)");
  expect(Fault::configuration, "character(20)");
  db_.run(
      "CREATE DOMAIN public.label AS varchar(10); ALTER TABLE public.numbers ALTER name TYPE "
      "public.label");
  expect_fits();
}

TEST_F(TableCheck, a_generated_column) {
  db_.run(
      "ALTER TABLE public.numbers DROP name, ADD name varchar(10) GENERATED ALWAYS AS ('x') "
      "STORED");
  expect(Fault::configuration, "generated");
}

TEST_F(TableCheck, a_column_that_must_be_given_and_is_not_named) {
  db_.run("ALTER TABLE public.numbers ADD tenant text NOT NULL");
  expect(Fault::configuration, "tenant");
  db_.run(
      "ALTER TABLE public.numbers ALTER tenant SET DEFAULT 'x', ADD id integer GENERATED ALWAYS AS "
      "IDENTITY");
  expect_fits();
}

TEST_F(TableCheck, a_column_that_must_be_given_and_may_be_missing) {
  db_.run("ALTER TABLE public.numbers ALTER name SET NOT NULL");
  expect_fits();
  table_.columns[1].nullable = true;
  expect(Fault::configuration, "column name is NOT NULL");
  table_.columns[1].required = false;
  expect(Fault::configuration, "column name is NOT NULL");
  table_.columns[1].mask = Mask{.method = MaskMethod::redact, .domain = {}, .salt = {}};
  expect_fits();
  table_.columns[1].mask.reset();
  table_.columns[1].source.kind = Source::Kind::message_id;
  expect_fits();
  table_.columns[1].source.kind = Source::Kind::attribute;
  expect(Fault::configuration, "column name is NOT NULL");
}

TEST_F(TableCheck, no_right_to_insert) {
  db_.run("REVOKE INSERT ON public.numbers FROM " + db_.loader());
  Connection connection(db_.loader_conninfo(), kNever);
  for (const Finding& finding : check_table(connection, table_))
    EXPECT_EQ(finding.fault, Fault::rights);
  db_.run("GRANT INSERT (n) ON public.numbers TO " + db_.loader());
  expect(Fault::rights, "column name");
  db_.run("GRANT INSERT (name) ON public.numbers TO " + db_.loader());
  expect_fits();
}

TEST_F(TableCheck, no_right_to_use_the_schema) {
  db_.run("REVOKE ALL ON SCHEMA public FROM PUBLIC");
  expect(Fault::rights, "schema");
}

TEST_F(TableCheck, row_level_security_that_copy_would_refuse) {
  db_.run("ALTER TABLE public.numbers ENABLE ROW LEVEL SECURITY");
  expect(Fault::configuration, "row-level security");
}

TEST_F(TableCheck, a_unique_key_needs_its_columns_and_an_index_over_exactly_them) {
  table_.unique = {"name", "n"};
  expect(Fault::configuration, "no unique index over (name, n)");
  db_.run("CREATE UNIQUE INDEX ON public.numbers (n)");
  expect(Fault::configuration, "no unique index");
  db_.run("CREATE UNIQUE INDEX ON public.numbers (n, name) WHERE n > 0");
  expect(Fault::configuration, "no unique index");
  db_.run("CREATE UNIQUE INDEX ON public.numbers (n, name)");
  expect_fits();
  table_.unique = {"nobody"};
  expect(Fault::configuration, "unique column nobody is missing");
}

TEST_F(TableCheck, everything_that_is_wrong_is_told_at_once) {
  db_.run("ALTER TABLE public.numbers ALTER n TYPE text, DROP name, ADD tenant text NOT NULL");
  Connection connection(db_.loader_conninfo(), kNever);
  EXPECT_EQ(check_table(connection, table_).size(), 3U);
}

}  // namespace
}  // namespace sluice
