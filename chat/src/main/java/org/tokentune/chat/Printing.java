package org.tokentune.chat;

import java.util.Collection;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;

/** Values as Python prints them: {@code str} and {@code repr}. */
final class Printing {

  private Printing() {}

  static String str(Run run, Value value) {
    if (value instanceof Value.Text text) {
      return text.value();
    } else if (value instanceof Value.Undefined) {
      return "";
    }
    return repr(run, value);
  }

  static String repr(Run run, Value value) {
    StringBuilder text = new StringBuilder();
    repr(run, text, value);
    return text.toString();
  }

  private static void repr(Run run, StringBuilder to, Value value) {
    int before = to.length();
    if (value instanceof Value.None) {
      to.append("None");
    } else if (value instanceof Value.Bool bool) {
      to.append(bool.value() ? "True" : "False");
    } else if (value instanceof Value.Int number) {
      to.append(Numbers.print(number.value()));
    } else if (value instanceof Value.Real number) {
      to.append(Numbers.print(number.value()));
    } else if (value instanceof Value.Text text) {
      to.append(text.safe() ? "Markup(" : "").append(quoted(text.value()));
      to.append(text.safe() ? ")" : "");
    } else if (value instanceof Value.Undefined) {
      to.append("Undefined");
    } else if (value instanceof Value.Array array) {
      elements(run, to.append('['), array.items());
      to.append(']');
    } else if (value instanceof Value.Tuple tuple) {
      elements(run, to.append('('), tuple.items());
      to.append(tuple.items().size() == 1 ? ",)" : ")");
    } else if (value instanceof Value.Range range) {
      to.append("range(").append(range.start()).append(", ").append(range.stop());
      to.append(range.step().equals(java.math.BigInteger.ONE) ? "" : ", " + range.step());
      to.append(')');
    } else if (value instanceof Value.Dict dict) {
      entries(run, to.append('{'), dict.map());
      to.append('}');
    } else if (value instanceof Value.View view) {
      elements(run, to.append(view.type()).append("(["), view.elements());
      to.append("])");
    } else if (value instanceof Value.Namespace namespace) {
      to.append("<Namespace {");
      boolean first = true;
      run.budget().enter();
      for (Map.Entry<String, Value> entry : namespace.attributes().entrySet()) {
        to.append(first ? "" : ", ").append(quoted(entry.getKey())).append(": ");
        repr(run, to, entry.getValue());
        first = false;
      }
      run.budget().leave();
      to.append("}>");
    } else if (value instanceof Macro macro) {
      to.append("<Macro ").append(quoted(macro.name())).append('>');
    } else if (value instanceof Loop loop) {
      to.append("<LoopContext ").append(loop.index0() + 1).append('/').append(loop.length());
      to.append('>');
    } else {
      throw new ChatTemplateException(
          "a '"
              + value.type()
              + "' object is printed: Python would print its address, which is of no use; make it"
              + " a list or a text first");
    }
    run.budget().steps(1);
    run.budget().characters(to.length() - before);
  }

  private static void elements(Run run, StringBuilder to, Collection<Value> items) {
    for (Iterator<Value> each = items.iterator(); each.hasNext(); ) {
      repr(run, to, each.next());
      to.append(each.hasNext() ? ", " : "");
    }
  }

  private static void entries(Run run, StringBuilder to, Map<Value, Value> map) {
    boolean first = true;
    for (Map.Entry<Value, Value> entry : map.entrySet()) {
      to.append(first ? "" : ", ");
      repr(run, to, entry.getKey());
      to.append(": ");
      repr(run, to, entry.getValue());
      first = false;
    }
  }

  /** Python's repr of a text. */
  static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder to = new StringBuilder(text.length() + 2).append(quote);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (c == quote || c == '\\') {
        to.append('\\').appendCodePoint(c);
      } else if (c == '\n') {
        to.append("\\n");
      } else if (c == '\r') {
        to.append("\\r");
      } else if (c == '\t') {
        to.append("\\t");
      } else if (CodePoints.isPrintable(c)) {
        to.appendCodePoint(c);
      } else if (c < 0x100) {
        to.append(String.format(Locale.ROOT, "\\x%02x", c));
      } else if (c < 0x10000) {
        to.append(String.format(Locale.ROOT, "\\u%04x", c));
      } else {
        to.append(String.format(Locale.ROOT, "\\U%08x", c));
      }
    }
    return to.append(quote).toString();
  }
}
