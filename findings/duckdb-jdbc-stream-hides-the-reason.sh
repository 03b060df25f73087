#!/usr/bin/env bash
# DuckDB's JDBC driver 2.0.0.1: with jdbc_stream_results=true, a query that fails while it runs says only "Invalid result set".
# Expected: the failure's reason, as without the setting, and as version 1.5.6.0 gives with it: the value that cannot be
#   converted, and the column.
# Seen: the message is "Invalid Input Error: Invalid result set" whatever went wrong; cause and SQL state do not have it either.
# Why it matters: the setting is how a Parquet file or a table larger than memory is read. Of millions of rows nobody learns
#   which value, column or file was bad.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/Finding.java" <<'JAVA'
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

class Finding {
  public static void main(String[] args) throws Exception {
    for (String streamed : new String[] {"false", "true"}) {
      Properties settings = new Properties();
      settings.setProperty("jdbc_stream_results", streamed);
      try (Connection connection = DriverManager.getConnection("jdbc:duckdb:", settings);
          Statement statement = connection.createStatement();
          ResultSet result =
              statement.executeQuery("SELECT x::INTEGER FROM (VALUES ('1'), ('good')) t(x)")) {
        while (result.next()) {
          result.getInt(1);
        }
        System.out.println("no failure");
      } catch (SQLException e) {
        System.out.println(args[0] + ", streamed " + streamed + ": " + e.getMessage().lines().findFirst().get()
            + " (cause " + e.getCause() + ", state " + e.getSQLState() + ")");
      }
    }
  }
}
JAVA
for version in 1.5.6.0 2.0.0.1; do
  mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact="org.duckdb:duckdb_jdbc:$version" -DoutputDirectory="$dir" -Dmdep.useBaseVersion=true
  java -cp "$dir/duckdb_jdbc-$version.jar" "$dir/Finding.java" "$version" | tee -a "$dir/out"
done
[ "$(grep -c "Could not convert string 'good'" "$dir/out")" = 3 ] &&
  grep -q "^2.0.0.1, streamed true: Invalid Input Error: Invalid result set" "$dir/out"
