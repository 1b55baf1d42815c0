/* The files of a cluster trace: what is read, what is passed over, and every kind of bad input, each
 * refused with its own reason while the rest goes on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/import_trace.h"
#include "tests/import_files.h"

static struct import_trace trace;
static struct error error;

static int read_text(import_files_read *read, const char *text)
{
    return import_files_bytes(read, &trace, text, strlen(text), &error);
}

static void begin(void)
{
    import_files_begin(&trace);
}

static void end(void)
{
    import_trace_free(&trace);
}

static uint32_t bit(const char *name)
{
    return import_files_bit(&trace, name);
}

Test(trace, columns_are_found_by_name_wherever_they_stand, .init = begin, .fini = end)
{
    cr_assert_eq(read_text(import_trace_nodes, "\xef\xbb\xbf# a comment\r\nmodel,gpu,sn,rack\r\n"
                                               "T4,4,\"node \"\"1\"\"\",r1\r\n\r\nP100,2,node-2,"),
                 0, "%s", error.text);
    cr_assert_str_empty(import_files_said);
    cr_assert_eq(trace.node_count, 2);
    cr_assert_eq(trace.node_lines, 2);
    cr_assert_eq(trace.nodes[0].gpus, 4);
    cr_assert_eq(UINT32_C(1) << trace.nodes[1].model, bit("P100"));

    cr_assert_eq(read_text(import_trace_tasks,
                           "qos,deletion_time,creation_time,gpu_spec,gpu_milli,num_gpu,name\n"
                           "BE,7201,1,T4|P100|T4,1000,2,a\nLS,5,4,,300,1,b\n"),
                 0, "%s", error.text);
    cr_assert_str_empty(import_files_said);
    cr_assert_eq(trace.task_count, 2);
    const struct import_task *task = &trace.tasks[0];
    cr_assert(task->batch && !task->fraction);
    cr_assert_eq(task->gpus, 2);
    cr_assert_eq(task->models, bit("T4") | bit("P100"), "an alternative named twice counts once");
    cr_assert_eq(task->created_s, 1);
    cr_assert_eq(task->deleted_s, 7201);
    cr_assert_eq(task->line, 2);
    cr_assert(trace.tasks[1].fraction && !trace.tasks[1].batch);
    cr_assert_eq(trace.tasks[1].models, 0);
}

Test(trace, a_file_without_a_needed_column_is_refused_by_its_name, .init = begin, .fini = end)
{
    static const struct {
        import_files_read *read;
        const char *text;
        const char *says;
    } files[] = {
        {import_trace_nodes, "sn,cpu_milli,memory_mib,model\n", ":1: column 'gpu' is missing"},
        {import_trace_nodes, "gpu,model,sn,GPU\n", ":1: column 'gpu' stands twice"},
        {import_trace_nodes, "", ": the file is empty"},
        {import_trace_nodes, "# only a comment\n\n", ": the file is empty"},
        {import_trace_nodes, IMPORT_FILES_TASKS_HEADER, ":1: column 'sn' is missing"},
        {import_trace_tasks, IMPORT_FILES_NODES_HEADER, ":1: column 'name' is missing"},
        {import_trace_tasks, "name,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time\n",
         ":1: column 'qos' is missing"},
        {import_trace_tasks, "\"name,num_gpu\n", ":1: a quote is opened and not closed"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        cr_assert_lt(read_text(files[i].read, files[i].text), 0);
        cr_assert_not_null(strstr(error.text, files[i].says), "%s", error.text);
    }
    cr_assert_lt(import_trace_nodes(&trace, "/nowhere/nodes.csv", stderr, &error), 0);
    cr_assert_not_null(strstr(error.text, "/nowhere/nodes.csv: No such file"), "%s", error.text);
}

/* Each bad line stands between good ones; only it is left out, with its own reason. */
Test(trace, every_wrong_node_is_left_out_with_its_reason, .init = begin, .fini = end)
{
    static const char *const lines[][2] = {
        {"n,1,1,x,T4", "gpu 'x' is not a number; give a whole number within 0 .. 1024"},
        {"n,1,1,1.5,T4", "gpu '1.5' is not a whole number"},
        {"n,1,1,-2,T4", "gpu '-2' is negative"},
        {"n,1,1,1025,T4", "gpu '1025' is out of range"},
        {"n,1,1,99999999999999999999,T4", "gpu '99999999999999999999' is too large"},
        {"n,1,1,2,T9", "model 'T9' is not in the table of models"},
        {"n,1,1,2,", "model '' is not in the table of models"},
        {",1,1,2,T4", "sn '' is empty"},
        {"first,1,1,2,T4", "sn 'first' stands on line 2 already"},
        {"n,1,1,2", "4 fields; the header has 5"},
        {"n,1,1,2,T4,7", "6 fields; the header has 5"},
        {"\"n,1,1,2,T4", "a quote is opened and not closed on this line"},
        {"n\"m,1,1,2,T4", "a quote inside a field that is not in quotes"},
        {"\"n\"m,1,1,2,T4", "'m,1,1,2,' follows a closing quote"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[512];
        uint32_t before = trace.node_count;
        (void)snprintf(text, sizeof text, "%sfirst,1,1,2,T4\n%s\nlast,1,1,4,P100",
                       IMPORT_FILES_NODES_HEADER, lines[i][0]);
        cr_assert_eq(read_text(import_trace_nodes, text), 0, "%s", error.text);
        cr_assert_eq(strncmp(import_files_said, "3: ", 3), 0, "%s", import_files_said);
        cr_assert_eq(strncmp(import_files_said + 3, lines[i][1], strlen(lines[i][1])), 0, "%s",
                     import_files_said);
        cr_assert_eq(strchr(import_files_said, '\n')[1], '\0', "%s", import_files_said);
        cr_assert_eq(trace.nodes_wrong, 1);
        cr_assert_eq(trace.node_lines, 3);
        cr_assert_eq(trace.node_count, before + 2);
    }
}

Test(trace, every_wrong_task_is_left_out_with_its_reason, .init = begin, .fini = end)
{
    static const char *const lines[][2] = {
        {"t,1,1,one,1000,,LS,R,0,60,0", "num_gpu 'one' is not a number"},
        {"t,1,1,-1,1000,,LS,R,0,60,0", "num_gpu '-1' is negative"},
        {"t,1,1,1025,1000,,LS,R,0,60,0", "num_gpu '1025' is out of range"},
        {"t,1,1,1,0,,LS,R,0,60,0", "gpu_milli '0' is out of range; give a whole number within 1"},
        {"t,1,1,1,1001,,LS,R,0,60,0", "gpu_milli '1001' is out of range"},
        {"t,1,1,1,,,LS,R,0,60,0", "gpu_milli '' is not a number"},
        {"t,1,1,2,500,,LS,R,0,60,0", "gpu_milli '500' goes with one GPU only"},
        {"t,1,1,1,1000,T4|T9,LS,R,0,60,0", "gpu_spec 'T4|T9' has an alternative that is not"},
        {"t,1,1,1,1000,|T4,LS,R,0,60,0", "gpu_spec '|T4' has an alternative that is not"},
        {"t,1,1,1,1000,T4|,LS,R,0,60,0", "gpu_spec 'T4|' ends with a bar"},
        {"t,1,1,1,1000,,ls,R,0,60,0", "qos 'ls' is none of LS, BE, Burstable, Guaranteed"},
        {"t,1,1,1,1000,,,R,0,60,0", "qos '' is none of"},
        {"t,1,1,1,1000,,LS,R,-5,60,0", "creation_time '-5' is negative"},
        {"t,1,1,1,1000,,LS,R,5,-60,0", "deletion_time '-60' is negative"},
        {"t,1,1,1,1000,,LS,R,60,59,0", "deletion_time '59' is before creation_time"},
        {"t,1,1,1,1000,,LS,R,,60,0", "creation_time '' is not a number"},
        {"t,1,1,1,1000,,LS,R,0,4294967296,0", "deletion_time '4294967296' is out of range"},
        {"t,1,1,1,1000,,LS,R,0,1e5,0", "deletion_time '1e5' is not a number"},
        {",1,1,1,1000,,LS,R,0,60,0", "name '' is empty"},
        {"first,1,1,1,1000,,LS,R,0,60,0", "name 'first' stands on line 2 already"},
        {"t,1,1,1,1000,,LS", "7 fields; the header has 11"},
        {"t,1,1,1,1000,\"T4,LS,R,0,60,0", "a quote is opened and not closed on this line"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[512];
        uint32_t before = trace.task_count;
        (void)snprintf(text, sizeof text,
                       "%sfirst,1,1,1,1000,,LS,R,0,60,0\n%s\nt,1,1,1,1000,,BE,R,5,60,\n",
                       IMPORT_FILES_TASKS_HEADER, lines[i][0]);
        cr_assert_eq(read_text(import_trace_tasks, text), 0, "%s", error.text);
        cr_assert_eq(strncmp(import_files_said, "3: ", 3), 0, "%s", import_files_said);
        cr_assert_eq(strncmp(import_files_said + 3, lines[i][1], strlen(lines[i][1])), 0, "%s",
                     import_files_said);
        cr_assert_eq(strchr(import_files_said, '\n')[1], '\0', "%s", import_files_said);
        cr_assert_eq(trace.tasks_wrong, 1);
        cr_assert_eq(trace.task_count, before + 2);
    }
}

Test(trace, a_line_of_a_million_characters_harms_no_other, .init = begin, .fini = end)
{
    static const char first[] = IMPORT_FILES_NODES_HEADER "a,1,1,2,T4\n";
    static const char last[] = "\nb,1,1,2,T4\n";
    const size_t long_size = 1000000;
    size_t length = sizeof first - 1 + long_size + sizeof last - 1;
    char *text = malloc(length);
    cr_assert_not_null(text);
    memcpy(text, first, sizeof first - 1);
    memset(text + sizeof first - 1, 'x', long_size);
    memcpy(text + sizeof first - 1 + long_size, last, sizeof last - 1);
    cr_assert_eq(import_files_bytes(import_trace_nodes, &trace, text, length, &error), 0, "%s",
                 error.text);
    cr_assert_str_eq(import_files_said, "3: the line is longer than 4095 bytes\n");
    cr_assert_eq(trace.node_count, 2);
    cr_assert_eq(trace.nodes_wrong, 1);
    text[sizeof first] = '\0';
    memcpy(text + sizeof first + 8, last, sizeof last - 1);
    cr_assert_eq(import_files_bytes(import_trace_nodes, &trace, text,
                                    sizeof first + 8 + sizeof last - 1, &error),
                 0);
    cr_assert_str_eq(import_files_said, "3: a zero byte; is this a text file?\n");
    cr_assert_eq(trace.node_count, 4);
    free(text);
}

Test(trace, fifty_complaints_are_told_and_all_counted, .init = begin, .fini = end)
{
    char text[8192] = IMPORT_FILES_NODES_HEADER;
    for (int i = 0; i < 60; i++) {
        (void)strcat(text, "n,1,1,-1,T4\n");
    }
    (void)strcat(text, "good,1,1,1,T4\n");
    cr_assert_eq(read_text(import_trace_nodes, text), 0, "%s", error.text);
    cr_assert_eq(trace.nodes_wrong, 60);
    cr_assert_eq(trace.node_count, 1);
    cr_assert_not_null(strstr(import_files_said, "51: gpu '-1'"));
    cr_assert_null(strstr(import_files_said, "52: gpu '-1'"));
    cr_assert_not_null(strstr(import_files_said, " 10 more lines are wrong\n"), "%s",
                       import_files_said);
}

Test(trace, what_has_no_gpu_or_no_time_is_passed_over_and_counted, .init = begin, .fini = end)
{
    cr_assert_eq(read_text(import_trace_nodes, IMPORT_FILES_NODES_HEADER "a,1,1,0,\nb,1,1,1,T4\n"),
                 0);
    cr_assert_eq(trace.nodes_without_gpu, 1);
    cr_assert_eq(trace.node_count, 1);
    cr_assert_eq(read_text(import_trace_tasks,
                           IMPORT_FILES_TASKS_HEADER "a,1,1,0,0,,LS,R,0,60,0\n"
                                                     "b,1,1,1,1000,,LS,R,60,60,0\n"
                                                     "c,1,1,1,1000,,LS,R,60,61,0\n"),
                 0);
    cr_assert_str_empty(import_files_said);
    cr_assert_eq(trace.tasks_without_gpu, 1);
    cr_assert_eq(trace.tasks_without_time, 1);
    cr_assert_eq(trace.task_count, 1);
    cr_assert_eq(trace.task_lines, 3);
}

Test(trace, a_table_of_models_is_right_as_a_whole_or_refused)
{
    static const char *const files[][2] = {
        {"model,class\nT4,T4\nT4,P100\n", "set the lines right"},
        {"model,class\nT 4,T4\n", "set the lines right"},
        {"model,class\n", "no line behind the header"},
        {"model,clas\nT4,T4\n", "column 'class' is missing"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        import_trace_init(&trace);
        cr_assert_lt(read_text(import_trace_models, files[i][0]), 0);
        cr_assert_not_null(strstr(error.text, files[i][1]), "%s", error.text);
    }
    char text[1024] = "model,class\n";
    for (int i = 0; i <= IMPORT_MODELS_MAX; i++) {
        (void)snprintf(text + strlen(text), 32, "M%d,T4\n", i);
    }
    import_trace_init(&trace);
    cr_assert_eq(read_text(import_trace_models, text), ERROR_FULL);
    cr_assert_not_null(strstr(error.text, "more than 32 models"), "%s", error.text);
}
