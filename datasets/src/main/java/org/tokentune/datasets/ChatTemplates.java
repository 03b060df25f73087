package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.CompanionFiles;

/**
 * The chat templates of a model by their names, and others that any model can be trained with.
 *
 * <p>As in transformers, {@code chat_template.jinja} and {@code additional_chat_templates/} replace
 * what {@code tokenizer_config.json} says, and {@code default} is used unless another is named.
 */
public final class ChatTemplates {

  /** The name of the template that is used if none is named. */
  public static final String DEFAULT = "default";

  private static final String ADDITIONAL = "additional_chat_templates/";
  private static final String SUFFIX = ".jinja";

  private static final String CHATML =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
          + "{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
          + "{% else %}{{ m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private static final String LLAMA3 =
      "{{ bos_token }}{% for m in messages %}"
          + "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' }}"
          + "{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content | trim + '<|eot_id|>' }}{% endgeneration %}"
          + "{% else %}{{ m.content | trim + '<|eot_id|>' }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}"
          + "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";

  private static final String ALPACA =
      "{{ bos_token }}{% set first = messages[0] %}{{ first.content if first.role == 'system' else"
          + " 'Below is an instruction that describes a task. Write a response that appropriately"
          + " completes the request.' }}{{ '\\n\\n' }}{% for m in messages %}"
          + "{% if m.role == 'user' %}"
          + "{{ '### Instruction:\\n' + m.content + '\\n\\n### Response:\\n' }}"
          + "{% elif m.role == 'assistant' %}"
          + "{% generation %}{{ m.content + eos_token }}{% endgeneration %}"
          + "{{ '' if loop.last else '\\n\\n' }}"
          + "{% elif m.role != 'system' or not loop.first %}"
          + "{{ raise_exception('The template alpaca has no role ' + m.role + ' here') }}"
          + "{% endif %}{% endfor %}";

  private static final String PLAIN =
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content + eos_token }}{% endgeneration %}"
          + "{{ '' if loop.last else '\\n' }}"
          + "{% else %}{{ m.content + '\\n' }}{% endif %}{% endfor %}";

  /** Templates for models that have none, by name. */
  private static final Map<String, String> OWN = own();

  private ChatTemplates() {}

  private static Map<String, String> own() {
    Map<String, String> own = new LinkedHashMap<>();
    own.put("chatml", CHATML);
    own.put("llama3", LLAMA3);
    own.put("alpaca", ALPACA);
    own.put("plain", PLAIN);
    return own;
  }

  /**
   * All templates of a model, by name.
   *
   * @throws BadInputException if a file says something that is not a template
   */
  public static Map<String, String> of(CompanionFiles files) {
    required(files, "files");

    Map<String, String> templates = new LinkedHashMap<>();
    files
        .bytes(CompanionFiles.CHAT_TEMPLATE)
        .ifPresent(bytes -> templates.put(DEFAULT, new String(bytes, StandardCharsets.UTF_8)));
    for (String name : files.names()) {
      if (name.startsWith(ADDITIONAL) && name.endsWith(SUFFIX)) {
        byte[] bytes = files.bytes(name).orElseThrow();
        templates.put(
            name.substring(ADDITIONAL.length(), name.length() - SUFFIX.length()),
            new String(bytes, StandardCharsets.UTF_8));
      }
    }
    for (String name : List.of(CompanionFiles.TOKENIZER_CONFIG, "chat_template.json")) {
      if (templates.isEmpty()) {
        files
            .json(name)
            .ifPresent(json -> add(json.path("chat_template"), files.origin(name), templates));
      }
    }
    return templates;
  }

  private static void add(JsonNode value, String origin, Map<String, String> templates) {
    if (value.isTextual()) {
      templates.put(DEFAULT, value.textValue());
    } else if (value.isArray()) {
      for (JsonNode each : value) {
        if (!each.path("name").isTextual() || !each.path("template").isTextual()) {
          throw new BadFileException(
              "%s: chat_template is a list of objects with name and template, and one is not;"
                  + " correct it.",
              origin);
        }
        templates.put(each.path("name").textValue(), each.path("template").textValue());
      }
    } else if (value.isObject()) {
      value.properties().forEach(each -> templates.put(each.getKey(), each.getValue().asText()));
    } else if (!value.isMissingNode() && !value.isNull()) {
      throw new BadFileException(
          "%s: chat_template must be a text or a list of named ones; correct it.", origin);
    }
  }

  /**
   * Finds a template by name: one of the model's, else one of chatml, llama3, alpaca and plain.
   *
   * @param name null for the model's default
   * @param tools whether there are tools, for which a template {@code tool_use} is preferred
   * @throws BadInputException if there is none
   */
  public static String find(CompanionFiles files, String name, boolean tools) {
    required(files, "files");

    Map<String, String> templates = of(files);
    if (name == null && tools && templates.containsKey("tool_use")) {
      return templates.get("tool_use");
    }
    String wanted = name == null ? DEFAULT : name;
    if (templates.containsKey(wanted)) {
      return templates.get(wanted);
    }
    if (name != null && OWN.containsKey(name.toLowerCase(Locale.ROOT))) {
      return OWN.get(name.toLowerCase(Locale.ROOT));
    }
    List<String> known = new ArrayList<>(templates.keySet());
    known.addAll(OWN.keySet());
    String names = String.join(", ", known);
    if (name != null) {
      throw new BadSettingsException("There is no chat template %s; there are %s.", name, names);
    }
    String origin = files.origin("").replaceFirst("/$", "");
    throw new BadSettingsException(
        "%s has no chat template%s; name one with --template: %s.",
        origin.isEmpty() ? "The model" : origin,
        templates.isEmpty() ? "" : " of the name default",
        names);
  }
}
