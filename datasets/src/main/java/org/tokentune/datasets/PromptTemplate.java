package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Formats an instruction, with or without an input, as a prompt for a model.
 *
 * @param withInput contains {@code {instruction}} and {@code {input}}
 * @param withoutInput contains {@code {instruction}}
 */
public record PromptTemplate(String name, String withInput, String withoutInput) {

  /** The template of Stanford Alpaca (Taori et al., 2023). */
  public static final PromptTemplate ALPACA =
      new PromptTemplate(
          "alpaca",
          "Below is an instruction that describes a task, paired with an input that provides further"
              + " context. Write a response that appropriately completes the request.\n\n"
              + "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n",
          "Below is an instruction that describes a task. Write a response that appropriately"
              + " completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:\n");

  /** OpenAI's chat markup, on which SmolLM2 and Qwen2 were tuned. */
  public static final PromptTemplate CHATML =
      new PromptTemplate(
          "chatml",
          "<|im_start|>user\n{instruction}\n\n{input}<|im_end|>\n<|im_start|>assistant\n",
          "<|im_start|>user\n{instruction}<|im_end|>\n<|im_start|>assistant\n");

  /** Instruction, input and answer on separate lines. */
  public static final PromptTemplate PLAIN =
      new PromptTemplate("plain", "{instruction}\n{input}\n", "{instruction}\n");

  private static final List<PromptTemplate> ALL = List.of(ALPACA, CHATML, PLAIN);

  public PromptTemplate {
    required(name, "name");
    required(withInput, "withInput");
    required(withoutInput, "withoutInput");
  }

  /**
   * Finds a template by name.
   *
   * @throws BadInputException if there is none
   */
  public static PromptTemplate named(String name) {
    required(name, "name");

    return ALL.stream()
        .filter(template -> template.name.equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new BadSettingsException(
                    "There is no template %s; there are %s.",
                    name,
                    ALL.stream().map(PromptTemplate::name).collect(Collectors.joining(", "))));
  }

  /** Formats an instruction; {@code input} may be empty. */
  public String prompt(String instruction, String input) {
    required(instruction, "instruction");
    required(input, "input");

    if (input.isBlank()) {
      return withoutInput.replace("{instruction}", instruction);
    }
    // Split first: the instruction itself may contain {input}.
    return Arrays.stream(withInput.split("\\{input\\}", -1))
        .map(part -> part.replace("{instruction}", instruction))
        .collect(Collectors.joining(input));
  }
}
