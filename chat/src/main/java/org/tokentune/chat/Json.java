package org.tokentune.chat;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Values as Python's {@code json.dumps} writes them. */
final class Json {

  private final Run run;
  private final StringBuilder to = new StringBuilder();
  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;

  /** The arguments that chat templates may give the filter {@code tojson}. */
  Json(Run run, Value ascii, Value indent, Value separators, Value sorted) {
    this.run = run;
    this.ascii = Values.isTrue(ascii);
    this.sorted = Values.isTrue(sorted);
    this.indent = indent(run, indent);
    if (separators instanceof Value.None) {
      itemSeparator = this.indent == null ? ", " : ",";
      keySeparator = ": ";
    } else {
      List<Value> both = Values.all(run, separators);
      if (both.size() != 2
          || !(both.get(0) instanceof Value.Text item)
          || !(both.get(1) instanceof Value.Text key)) {
        throw new ChatTemplateException("tojson: separators are two texts");
      }
      itemSeparator = item.value();
      keySeparator = key.value();
    }
  }

  private static String indent(Run run, Value indent) {
    if (indent instanceof Value.None) {
      return null;
    } else if (indent instanceof Value.Text text) {
      return text.value();
    }
    int width = Math.max(0, Numbers.index(indent));
    run.budget().characters(width);
    return " ".repeat(width);
  }

  String write(Value value) {
    write(value, 0);
    return to.toString();
  }

  private void write(Value value, int level) {
    int before = to.length();
    if (value instanceof Value.Text text) {
      quote(text.value());
    } else if (value instanceof Value.None) {
      to.append("null");
    } else if (value instanceof Value.Bool bool) {
      to.append(bool.value());
    } else if (value instanceof Value.Int number) {
      to.append(Numbers.print(number.value()));
    } else if (value instanceof Value.Real number) {
      to.append(number(number.value()));
    } else if (value instanceof Value.Array || value instanceof Value.Tuple) {
      list(((Value.Items) value).items(), level);
    } else if (value instanceof Value.Dict dict) {
      object(dict, level);
    } else {
      throw new ChatTemplateException(
          "Object of type " + value.type() + " is not JSON serializable");
    }
    run.budget().step();
    run.budget().characters(to.length() - before);
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "Infinity" : "-Infinity";
    }
    return Numbers.print(value);
  }

  private void list(List<Value> items, int level) {
    if (items.isEmpty()) {
      to.append("[]");
      return;
    }
    to.append('[');
    for (Iterator<Value> each = items.iterator(); each.hasNext(); ) {
      newLine(level + 1);
      write(each.next(), level + 1);
      to.append(each.hasNext() ? itemSeparator : "");
    }
    newLine(level);
    to.append(']');
  }

  private void object(Value.Dict dict, int level) {
    if (dict.map().isEmpty()) {
      to.append("{}");
      return;
    }
    List<Map.Entry<Value, Value>> entries = new ArrayList<>(dict.map().entrySet());
    if (sorted) {
      Sorting.sort(run, entries, Map.Entry::getKey, false);
    }
    to.append('{');
    boolean first = true;
    for (Map.Entry<Value, Value> entry : entries) {
      to.append(first ? "" : itemSeparator);
      newLine(level + 1);
      quote(key(entry.getKey()));
      to.append(keySeparator);
      write(entry.getValue(), level + 1);
      first = false;
    }
    newLine(level);
    to.append('}');
  }

  private static String key(Value key) {
    if (key instanceof Value.Text text) {
      return text.value();
    } else if (key instanceof Value.None) {
      return "null";
    } else if (key instanceof Value.Bool bool) {
      return String.valueOf(bool.value());
    } else if (key instanceof Value.Int number) {
      return Numbers.print(number.value());
    } else if (key instanceof Value.Real number) {
      return number(number.value());
    }
    throw new ChatTemplateException(
        "keys must be str, int, float, bool or None, not " + key.type());
  }

  private void newLine(int level) {
    if (indent != null) {
      run.budget().characters((long) indent.length() * level + 1);
      to.append('\n').append(indent.repeat(level));
    }
  }

  private void quote(String text) {
    to.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> to.append("\\\"");
        case '\\' -> to.append("\\\\");
        case '\n' -> to.append("\\n");
        case '\r' -> to.append("\\r");
        case '\t' -> to.append("\\t");
        case '\f' -> to.append("\\f");
        case '\b' -> to.append("\\b");
        default -> {
          if (c < ' ' || (ascii && c > 126)) {
            to.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            to.append(c);
          }
        }
      }
    }
    to.append('"');
  }
}
