(The word SUN and a sun, engraved 0.3 mm deep with a V bit)
(Work zero: top of the stock, at its front left corner)
(Needs 88 mm in X, 36 mm in Y and 5 mm above the stock in Z)
(Letters are 20 mm high; arcs are written both ways, with I J and with R)
G21 G90 G17 G91.1 G94 G54
M5
G0 Z5
M3 S12000
G4 P3

(S: over the top against the clock, then round the bottom with it)
G0 X18.33 Y25.5
G0 Z1
G1 Z-0.3 F150
G3 X14 Y18 I-4.33 J-2.5 F600
G2 X9.67 Y10.5 I0 J-5
G0 Z5

(U)
G0 X26 Y28
G0 Z1
G1 Z-0.3 F150
G1 X26 Y14 F600
G3 X38 Y14 I6 J0
G1 X38 Y28
G0 Z5

(N)
G0 X44 Y8
G0 Z1
G1 Z-0.3 F150
G1 X44 Y28 F600
X56 Y8
X56 Y28
G0 Z5

(The sun: a full circle)
G0 X74 Y18
G0 Z1
G1 Z-0.3 F150
G2 X74 Y18 I-5 J0 F600
G0 Z5

(Ray 1 of 8)
G0 X76 Y18
G0 Z1
G1 Z-0.3 F150
G1 X78.5 Y18 F600
G0 Z5

(Ray 2 of 8)
G0 X73.95 Y22.95
G0 Z1
G1 Z-0.3 F150
G1 X75.718 Y24.718 F600
G0 Z5

(Ray 3 of 8)
G0 X69 Y25
G0 Z1
G1 Z-0.3 F150
G1 X69 Y27.5 F600
G0 Z5

(Ray 4 of 8)
G0 X64.05 Y22.95
G0 Z1
G1 Z-0.3 F150
G1 X62.282 Y24.718 F600
G0 Z5

(Ray 5 of 8)
G0 X62 Y18
G0 Z1
G1 Z-0.3 F150
G1 X59.5 Y18 F600
G0 Z5

(Ray 6 of 8)
G0 X64.05 Y13.05
G0 Z1
G1 Z-0.3 F150
G1 X62.282 Y11.282 F600
G0 Z5

(Ray 7 of 8)
G0 X69 Y11
G0 Z1
G1 Z-0.3 F150
G1 X69 Y8.5 F600
G0 Z5

(Ray 8 of 8)
G0 X73.95 Y13.05
G0 Z1
G1 Z-0.3 F150
G1 X75.718 Y11.282 F600
G0 Z5

(A frame with round corners)
G0 X8 Y0
G0 Z1
G1 Z-0.3 F150
G1 X80 Y0 F600
G3 X84 Y4 R4
G1 X84 Y32
G3 X80 Y36 R4
G1 X8 Y36
G3 X4 Y32 R4
G1 X4 Y4
G3 X8 Y0 R4
G0 Z5

M5
G0 X0 Y0
M30
