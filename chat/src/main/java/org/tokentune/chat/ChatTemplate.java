package org.tokentune.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A chat template: Jinja2 with the settings and functions that transformers gives it. It renders
 * the same text as Python, or throws; what it does not support it refuses by name when it is read.
 *
 * <p>A template is untrusted: {@link ChatTemplateSettings} limits what it may use up, and it
 * reaches nothing but what it is given. It can be rendered by several threads at once.
 */
public final class ChatTemplate {

  /** Names of one thing: templates read the first, older data use the others. */
  private static final List<String> REASONING =
      List.of("reasoning_content", "thinking", "reasoning");

  private static final Scope GLOBALS = Globals.scope();

  private final Parser.Parsed parsed;
  private final ChatTemplateSettings settings;

  private ChatTemplate(Parser.Parsed parsed, ChatTemplateSettings settings) {
    this.parsed = parsed;
    this.settings = settings;
  }

  /**
   * Reads a template.
   *
   * @throws ChatTemplateException if it is wrong, or uses what is not supported
   */
  public static ChatTemplate of(String template) {
    return of(template, ChatTemplateSettings.defaults());
  }

  /**
   * Reads a template that is rendered with these settings.
   *
   * @throws ChatTemplateException if it is wrong, or uses what is not supported
   */
  public static ChatTemplate of(String template, ChatTemplateSettings settings) {
    Objects.requireNonNull(template, "template");
    Objects.requireNonNull(settings, "settings");
    if (template.length() > settings.templateLength()) {
      throw new ChatTemplateException(
          "the template has "
              + template.length()
              + " characters; at most "
              + settings.templateLength()
              + " are allowed");
    }
    return new ChatTemplate(Parser.parse(template, settings.depth()), settings);
  }

  /** Whether it says with {@code {% generation %}} what the model writes. */
  public boolean marksGenerated() {
    return parsed.marked();
  }

  /**
   * Renders with these variables and no others: {@code messages}, {@code tools}, {@code
   * add_generation_prompt}, {@code bos_token} and what else the template reads. Values are maps,
   * lists, texts, numbers, booleans and null.
   *
   * @throws ChatTemplateException if the template fails, raises an exception, or exceeds a limit
   */
  public RenderedChat render(Map<String, ?> variables) {
    Objects.requireNonNull(variables, "variables");
    Run run = new Run(settings);
    try {
      Scope scope = new Scope(GLOBALS);
      variables.forEach((name, value) -> scope.set(name, Values.fromJava(run.budget(), value, 0)));
      parsed.block().run(run, new Scope(scope));
      if (run.hiddenMarks()) {
        throw new ChatTemplateException(
            "the template has a generation block within a macro, filter or set block, where its"
                + " place in the text is not known");
      }
      return run.result();
    } catch (ChatTemplateException e) {
      throw e.at(run.line());
    } catch (StackOverflowError e) {
      throw new ChatTemplateException("the template is nested too deep for the stack", run.line());
    }
  }

  /**
   * Renders messages as transformers' {@code apply_chat_template} does: after {@link #normalized},
   * with {@code tools} and {@code documents} None unless they are among the variables.
   *
   * @param messages role, content and more of each
   * @param generationPrompt whether the text ends where the model's answer begins
   * @param variables {@code bos_token}, {@code eos_token}, {@code tools} and what else it reads
   * @throws ChatTemplateException if the template fails, raises an exception, or exceeds a limit
   */
  public RenderedChat render(
      List<? extends Map<String, ?>> messages, boolean generationPrompt, Map<String, ?> variables) {
    Objects.requireNonNull(variables, "variables");
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("messages", normalized(messages));
    all.put("tools", null);
    all.put("documents", null);
    all.put("add_generation_prompt", generationPrompt);
    all.putAll(variables);
    return render(all);
  }

  /**
   * Messages as templates expect them: keys whose value is null are left out, and the reasoning is
   * there under the names {@code reasoning_content} and {@code thinking}, whichever it came under.
   */
  public static List<Map<String, Object>> normalized(List<? extends Map<String, ?>> messages) {
    Objects.requireNonNull(messages, "messages");
    List<Map<String, Object>> all = new ArrayList<>(messages.size());
    for (Map<String, ?> message : messages) {
      Map<String, Object> kept = new LinkedHashMap<>();
      REASONING.stream()
          .filter(name -> message.get(name) != null)
          .findFirst()
          .ifPresent(name -> kept.put("thinking", message.get(name)));
      Object reasoning = kept.get("thinking");
      message.forEach(
          (name, value) -> {
            if (value != null) {
              kept.put(name, value);
            }
          });
      if (reasoning != null) {
        kept.put("reasoning_content", reasoning);
      }
      all.add(kept);
    }
    return all;
  }
}
