module bench;
    reg clock = 0, reset = 1;
    wire [783:0] visible;
    wire [99:0] hidden;
    wire swept;
    integer sweeps = 0;
    digits_sampler #(.SEED(64'd1)) sampler(.clock(clock), .reset(reset), .run(1'b1),
        .clamp(784'd0), .value(784'd0), .visible(visible), .hidden(hidden), .swept(swept));
    always #1 clock = !clock;
    initial #10 reset = 0;
    always @(posedge clock) if (swept) begin
        sweeps = sweeps + 1;
        if (sweeps == 1000) begin
            $display("%b", visible); // the last unit first
            $finish;
        end
    end
endmodule
