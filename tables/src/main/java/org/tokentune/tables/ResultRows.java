package org.tokentune.tables;

import java.io.IOException;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tokentune.BadDataException;
import org.tokentune.Warnings;
import org.tokentune.datasets.JsonLines;

/**
 * Rows of a result.
 *
 * @param name of what they are from, for messages
 * @param names of class labels
 */
record ResultRows(ResultSet result, String name, FeatureNames names) {

  /** Writes all rows, and returns how many they are. */
  long write(JsonLines lines) throws SQLException, IOException {
    List<String> columns = columns();
    Set<String> binary = new TreeSet<>();
    long row = 0;
    while (result.next()) {
      row++;
      String position = name + ", row " + row;
      List<String> present = new ArrayList<>();
      List<Object> values = new ArrayList<>();
      for (int column = 0; column < columns.size(); column++) {
        String named = columns.get(column);
        Object value = JdbcValues.json(result.getObject(column + 1), position);
        if (value == JdbcValues.BINARY) {
          binary.add(named);
        } else {
          present.add(named);
          values.add(names.of(named).named(value, position));
        }
      }
      lines.write(present, values);
    }
    if (!binary.isEmpty()) {
      Warnings.warn("%s: the binary columns %s are left out.", name, binary);
    }
    return row;
  }

  private List<String> columns() throws SQLException {
    ResultSetMetaData meta = result.getMetaData();
    List<String> columns = new ArrayList<>();
    for (int column = 1; column <= meta.getColumnCount(); column++) {
      String label = meta.getColumnLabel(column);
      if (columns.contains(label)) {
        throw new BadDataException(
            "%s has several columns %s; give each a name of its own.", name, label);
      }
      columns.add(label);
    }
    return columns;
  }
}
