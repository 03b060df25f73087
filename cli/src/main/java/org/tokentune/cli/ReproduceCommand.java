package org.tokentune.cli;

import picocli.CommandLine.Command;

/** Compares methods of fine-tuning. */
@Command(
    name = "reproduce",
    description =
        "Compares ways to fine-tune, as the tables of the paper do: trained on tasks of GLUE or on"
            + " your own data, planned over batch sizes and tokens, or as answers of a decoder.",
    synopsisSubcommandLabel = "TABLE",
    subcommands = {ReproduceGlue.class, ReproduceLlama.class, ReproduceMemory.class},
    mixinStandardHelpOptions = true)
final class ReproduceCommand {}
