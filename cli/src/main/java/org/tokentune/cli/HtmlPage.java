package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Pages of one file: a resource with its title and its data in place, and nothing from outside. */
final class HtmlPage {

  private static final Pattern PLACE = Pattern.compile("\\{\\{(?:include )?([a-z.]+)}}");

  private HtmlPage() {}

  /**
   * Makes a page.
   *
   * @param resource beside this class
   * @param data what the page's script reads
   */
  static String of(String resource, String title, JsonNode data) {
    return PLACE
        .matcher(read(resource))
        .replaceAll(place -> Matcher.quoteReplacement(content(place, title, data)));
  }

  private static String content(MatchResult place, String title, JsonNode data) {
    return switch (place.group(1)) {
      case "title" -> escaped(title);
      // Within a script's element, JSON must neither end it nor begin a comment.
      case "data" -> data.toString().replace("<", "\\u003c");
      default -> read(place.group(1));
    };
  }

  private static String read(String resource) {
    try (InputStream source = HtmlPage.class.getResourceAsStream(resource)) {
      return new String(source.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text with character references in place of what HTML would read otherwise. */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                case 0 -> escaped.append('\uFFFD');
                default -> escaped.appendCodePoint(c);
              }
            });
    return escaped.toString();
  }
}
