package org.tokentune.tables;

import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.SQLException;
import java.sql.Struct;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.duckdb.DuckDBStruct;
import org.tokentune.BadDataException;

/** Values of JDBC drivers as values of JSON. */
final class JdbcValues {

  /** In place of binary values. */
  static final Object BINARY = new Object();

  private JdbcValues() {}

  /**
   * A string, number, boolean, list, map or null; {@link #BINARY} for bytes. A list or map has none
   * of its binary values.
   *
   * @param position of the row, for messages
   */
  static Object json(Object value, String position) throws SQLException {
    if (value == null || value instanceof String || value instanceof Boolean) {
      return value;
    }
    if (value instanceof Number number) {
      return number(number, position);
    }
    if (value instanceof byte[] || value instanceof Blob) {
      return BINARY;
    }
    if (value instanceof Array array) {
      return list((Object[]) array.getArray(), position);
    }
    if (value instanceof DuckDBStruct struct) {
      return map(struct.getMap(), position);
    }
    if (value instanceof Struct struct) {
      return list(struct.getAttributes(), position);
    }
    if (value instanceof Map<?, ?> map) {
      return map(map, position);
    }
    if (value instanceof List<?> list) {
      return list(list.toArray(), position);
    }
    if (value instanceof Clob text) {
      return text.getSubString(1, (int) Math.min(Integer.MAX_VALUE, text.length()));
    }
    return text(value);
  }

  /** Not a number is a missing one, as in pandas. */
  private static Object number(Number number, String position) {
    if (number instanceof Double || number instanceof Float) {
      double value = number.doubleValue();
      if (Double.isInfinite(value)) {
        throw new BadDataException("%s has the number %s; correct it.", position, value);
      }
      return Double.isNaN(value) ? null : number;
    }
    return number;
  }

  private static String text(Object value) {
    if (value instanceof Timestamp time) {
      return time.toLocalDateTime().toString();
    }
    if (value instanceof Date date) {
      return date.toLocalDate().toString();
    }
    return value instanceof Time time ? time.toLocalTime().toString() : value.toString();
  }

  private static List<Object> list(Object[] values, String position) throws SQLException {
    List<Object> list = new ArrayList<>();
    for (Object value : values) {
      Object json = json(value, position);
      if (json != BINARY) {
        list.add(json);
      }
    }
    return list;
  }

  private static Map<String, Object> map(Map<?, ?> values, String position) throws SQLException {
    Map<String, Object> map = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : values.entrySet()) {
      Object json = json(entry.getValue(), position);
      if (json != BINARY) {
        map.put(String.valueOf(entry.getKey()), json);
      }
    }
    return map;
  }
}
