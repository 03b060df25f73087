import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tokentune.chat.ChatTemplate;
import org.tokentune.chat.ChatTemplateException;

/**
 * How long a chat template takes: milliseconds of the first text of a process, from reading the file,
 * and of the thousandth; acceptance/chat-speed.sh runs it in a new JVM for each template.
 */
final class ChatSpeed {

  private ChatSpeed() {}

  public static void main(String[] arguments) throws Exception {
    long start = System.nanoTime();
    ChatTemplate template = ChatTemplate.of(Files.readString(Path.of(arguments[0])));
    try {
      double first = milliseconds(start, template);
      for (int i = 2; i < 1000; i++) {
        template.render(messages(), true, Map.of("bos_token", "<s>", "eos_token", "</s>"));
      }
      System.out.printf("%.3f %.4f%n", first, milliseconds(System.nanoTime(), template));
    } catch (ChatTemplateException e) {
      System.out.println("refused: " + e.getMessage());
    }
  }

  private static double milliseconds(long start, ChatTemplate template) {
    template.render(messages(), true, Map.of("bos_token", "<s>", "eos_token", "</s>"));
    return (System.nanoTime() - start) / 1e6;
  }

  /** Ten messages. */
  private static List<Map<String, Object>> messages() {
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      messages.add(Map.of("role", "user", "content", "What is " + i + " + " + i + "?"));
      messages.add(Map.of("role", "assistant", "content", "It is " + 2 * i + "."));
    }
    return messages;
  }
}
